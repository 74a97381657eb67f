// Random statements over the tables of the policy, from a seed: joins, derived tables, sub-queries in every place, CTEs that
// take the names of tables, set operations, and the writes that read. All are valid, whoever may run them.
import { type Combination, combinations, nameOf, type ObjectKind, schema } from "./policy.ts";

/** Numbers from a seed, the same in every run (a 32-bit linear congruential generator). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, less than `sides`. */
  below(sides: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * sides);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("Nothing to pick from");
    return item;
  }

  /** Whether one of `sides` came up. */
  once(sides: number): boolean {
    return this.below(sides) === 0;
  }
}

const readers: readonly Combination[] = ["r", "rw", "ra", "rwa"];
const writers: readonly Combination[] = ["rw", "rwa", "rwa", "w"];

/** Makes statements; most of them are allowed, one table in `forbiddenOneIn` is anything. */
export class StatementGenerator {
  readonly #dice: Dice;
  readonly #forbiddenOneIn: number;
  #aliases = 0;

  constructor(dice: Dice, forbiddenOneIn: number) {
    this.#dice = dice;
    this.#forbiddenOneIn = forbiddenOneIn;
  }

  statement(): string {
    this.#aliases = 0;
    const dice = this.#dice;
    switch (dice.below(13)) {
      case 0:
        return `INSERT INTO ${this.#target()} (a, b) ${this.#query(2, [])}`;
      case 1:
        return `INSERT INTO ${this.#target()} VALUES (${this.#scalar(2, [])}, 1)`;
      case 2:
        return `REPLACE INTO ${this.#target()} SET a = 7, b = ${this.#scalar(2, [])}`;
      case 3:
        return `UPDATE ${this.#target()} SET b = ${this.#scalar(2, [])}`;
      case 4:
        return `DELETE FROM ${this.#target()} WHERE 1 = 0 AND ${this.#condition(2, [], null)}`;
      case 5: {
        const prefix = dice.pick(["EXPLAIN ", "DO ", "SET @x = ", "EXPLAIN EXTENDED "]);
        return prefix.startsWith("EXPLAIN") ? prefix + this.#query(2, []) : prefix + this.#scalar(2, []);
      }
      case 6:
        return `SET STATEMENT max_statement_time = 5 FOR ${this.#query(2, [])}`;
      default:
        return this.#query(3, []);
    }
  }

  #table(pool: readonly Combination[]): string {
    const dice = this.#dice;
    const combination = dice.once(this.#forbiddenOneIn) ? dice.pick(combinations) : dice.pick(pool);
    const kind = dice.pick(["t", "t", "o", "v"] as const satisfies readonly ObjectKind[]);
    const name = nameOf(kind, combination);
    return dice.once(3) ? `${schema}.${name}` : name;
  }

  #target(): string {
    return this.#table(writers);
  }

  #alias(): string {
    this.#aliases += 1;
    return `x${this.#aliases}`;
  }

  /** A query expression with the columns a and b. `names`: the CTEs in scope. */
  #query(depth: number, names: readonly string[]): string {
    const dice = this.#dice;
    if (depth > 0 && dice.once(4)) return this.#withClause(depth - 1, names);
    if (depth > 0 && dice.once(5)) {
      const operator = dice.pick(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]);
      return `(${this.#query(depth - 1, names)}) ${operator} (${this.#query(depth - 1, names)})`;
    }
    return this.#select(depth, names);
  }

  #withClause(depth: number, names: readonly string[]): string {
    const dice = this.#dice;
    const own: string[] = [];
    const clauses: string[] = [];
    for (let count = 1 + dice.below(2); count > 0; count--) {
      const name = dice.once(2) ? nameOf("t", dice.pick(combinations)) : this.#alias();
      if (own.includes(name)) continue;
      // Not visible in its own body: the same name there is the table.
      const inside = names.filter((other) => other !== name).concat(own);
      clauses.push(`${name} AS (${this.#select(depth, inside)})`);
      own.push(name);
    }
    return `WITH ${clauses.join(", ")} ${this.#select(depth, [...names, ...own])}`;
  }

  #select(depth: number, names: readonly string[]): string {
    const dice = this.#dice;
    const first = this.#alias();
    const second = dice.once(5) ? this.#scalar(depth - 1, names) : `${first}.b`;
    let from = `${this.#source(depth, names)} ${first}`;
    for (let joins = dice.below(3); joins > 0; joins--)
      from = this.#join(from, first, depth, names, joins === 1);
    const parts = [`SELECT ${first}.a AS a, ${second} AS b FROM ${from}`];
    if (dice.once(2)) parts.push(`WHERE ${this.#condition(depth - 1, names, first)}`);
    if (dice.once(6))
      parts.push(`GROUP BY ${first}.a, ${first}.b HAVING ${this.#condition(depth - 1, names, null)}`);
    if (dice.once(6)) parts.push(`ORDER BY ${this.#scalar(depth - 1, names)}`);
    if (dice.once(4)) parts.push("LIMIT 3");
    return parts.join(" ");
  }

  #join(from: string, first: string, depth: number, names: readonly string[], isLast: boolean): string {
    const dice = this.#dice;
    const alias = this.#alias();
    const source = `${this.#source(depth - 1, names)} ${alias}`;
    const on = `ON ${alias}.a = ${first}.a`;
    // A comma binds less than JOIN, and nothing may follow the ODBC braces.
    switch (dice.below(isLast ? 6 : 4)) {
      case 4:
        return `${from}, ${source}`;
      case 1:
        return `${from} STRAIGHT_JOIN ${source}`;
      case 2: {
        const other = this.#alias();
        return `${from} LEFT JOIN (${source} CROSS JOIN ${this.#source(depth - 1, names)} ${other}) ${on}`;
      }
      case 5:
        return `{oj ${from} LEFT OUTER JOIN ${source} ${on}}`;
      case 3:
        return `${from} RIGHT JOIN ${source} ${on}`;
      default:
        return `${from} JOIN ${source} ${on}`;
    }
  }

  #source(depth: number, names: readonly string[]): string {
    const dice = this.#dice;
    if (names.length > 0 && dice.once(2)) return dice.pick(names);
    if (depth > 0 && dice.once(5)) return `(${this.#query(depth - 1, names)})`;
    return this.#table(readers);
  }

  #scalar(depth: number, names: readonly string[]): string {
    if (depth <= 0) return this.#dice.pick(["1", "'FROM secret'", "NOW()", "1--1", "1e0"]);
    const alias = this.#alias();
    const inner = this.#query(depth - 1, names);
    return this.#dice.pick([
      `(SELECT MAX(${alias}.a) FROM (${inner}) ${alias})`,
      `COALESCE((SELECT MAX(${alias}.a) FROM ${this.#source(depth - 1, names)} ${alias}), 0)`,
      `CASE WHEN EXISTS (${inner}) THEN 1 ELSE 0 END`,
    ]);
  }

  #condition(depth: number, names: readonly string[], column: string | null): string {
    if (depth <= 0) return "1 = 1";
    const inner = this.#query(depth - 1, names);
    const exists = `EXISTS (${inner})`;
    if (column === null) return exists;
    const alias = this.#alias();
    return this.#dice.pick([
      exists,
      `${column}.a IN (SELECT ${alias}.a FROM (${inner}) ${alias})`,
      `(${column}.a, ${column}.b) IN (${inner})`,
      `NOT (1 = 0 OR ${exists})`,
    ]);
  }
}
