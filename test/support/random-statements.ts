// Random statements of the query grammar, for comparisons with live servers: few names, so that common table expressions,
// aliases and tables collide, and every way to nest queries.

/** A generator of numbers in [0, 1) that gives the same row for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Makes statements that servers mostly understand. */
export class RandomStatements {
  private readonly random: () => number;
  /** How deep the next query may nest. */
  private depth = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  next(): string {
    this.depth = 4;
    return this.pick([
      () => this.query(),
      () => this.query(),
      () => this.query(),
      () =>
        `INSERT INTO ${this.table()} ${this.query()}${this.maybe(0.3, () => ` ON DUPLICATE KEY UPDATE zz = ${this.scalar()}`)}`,
      () => `INSERT INTO ${this.table()} (zz) VALUES (${this.scalar()}), (1)`,
      () => `REPLACE INTO ${this.table()} (${this.query()})`,
      () => `UPDATE ${this.joined()} SET zz = ${this.scalar()} WHERE ${this.scalar()} = 1`,
      () => `DELETE FROM ${this.table()} WHERE zz IN (${this.query()})`,
      () => `DELETE x1 FROM ${this.table()} AS x1, ${this.joined()}`,
      () => `${this.with()} UPDATE ${this.table()} SET zz = ${this.scalar()}`,
      () => `${this.with()} DELETE FROM ${this.table()} WHERE zz = ${this.scalar()}`,
      () => `EXPLAIN ${this.query()}`,
      () => `SET @x = ${this.scalar()}`,
      () => `DO ${this.scalar()}`,
    ])();
  }

  private chance(of: number): boolean {
    return this.random() < of;
  }

  private pick<T>(from: readonly T[]): T {
    const chosen = from[Math.floor(this.random() * from.length)];
    if (chosen === undefined) throw new Error("Nothing to pick from");
    return chosen;
  }

  private maybe(of: number, make: () => string): string {
    return this.chance(of) ? make() : "";
  }

  private name(): string {
    return this.pick(["a", "b", "c", "A", "b", "`a`", "t1"]);
  }

  private table(): string {
    return `${this.maybe(0.15, () => this.pick(["d2.", "d2 . ", "d2./**/"]))}${this.name()}`;
  }

  private with(): string {
    const elements = Array.from({ length: this.chance(0.4) ? 2 : 1 }, () => {
      const columns = this.maybe(0.1, () => " (q)");
      return `${this.name()}${columns} AS (${this.query()})`;
    });
    return `WITH ${this.maybe(0.2, () => "RECURSIVE ")}${elements.join(", ")}`;
  }

  /** A whole query expression. */
  query(): string {
    this.depth -= 1;
    const text = `${this.maybe(this.depth > 0 ? 0.4 : 0, () => `${this.with()} `)}${this.body()}`;
    this.depth += 1;
    return text;
  }

  private body(): string {
    const operands = Array.from({ length: this.pick([1, 1, 1, 1, 2, 2, 3]) }, () => this.operand());
    const joined = operands.join(` ${this.pick(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"])} `);
    return joined + this.maybe(0.1, () => ` ORDER BY ${this.scalar()}`) + this.maybe(0.1, () => " LIMIT 1");
  }

  private operand(): string {
    if (this.depth > 0 && this.chance(0.25)) return `(${this.query()})${this.maybe(0.1, () => " LIMIT 1")}`;
    if (this.chance(0.04)) return `TABLE ${this.table()}`;
    if (this.chance(0.03)) return `VALUES ROW(${this.scalar()})`;
    return this.select();
  }

  private select(): string {
    const item = this.chance(0.7) ? "1" : this.scalar();
    if (this.chance(0.1)) return `SELECT ${item}`;
    return (
      `SELECT ${this.maybe(0.05, () => "STRAIGHT_JOIN ")}${item} FROM ${this.joined()}` +
      this.maybe(0.25, () => ` WHERE ${this.condition()}`) +
      this.maybe(0.07, () => ` GROUP BY ${this.scalar()}`) +
      this.maybe(0.05, () => ` HAVING ${this.condition()}`) +
      this.maybe(0.04, () => " FOR UPDATE")
    );
  }

  private condition(): string {
    this.depth -= 1;
    const text =
      this.depth <= 0
        ? "1"
        : this.pick([
            () => `EXISTS (${this.query()})`,
            () => `1 IN (${this.query()})`,
            () => `${this.scalar()} > ALL (${this.query()})`,
            () => `(1, ${this.scalar()}) = (SELECT 1, 2 FROM ${this.joined()})`,
          ])();
    this.depth += 1;
    return text;
  }

  private scalar(): string {
    this.depth -= 1;
    const text =
      this.depth <= 0 || this.chance(0.4)
        ? "1"
        : this.pick([
            () => `(${this.query()})`,
            () => `((${this.query()}) + 1)`,
            () => `IF(1, (${this.query()}), 2)`,
            () => `CASE WHEN ${this.condition()} THEN 1 ELSE 2 END`,
          ])();
    this.depth += 1;
    return text;
  }

  private joined(): string {
    let text = this.factor();
    for (const count = this.pick([0, 0, 0, 1, 1, 2]); (text.match(/\n/g)?.length ?? 0) < count; ) {
      text += `\n${this.pick([
        () => `, ${this.factor()}`,
        () => `JOIN ${this.factor()}`,
        () => `LEFT JOIN ${this.factor()} ON ${this.condition()}`,
        () => `STRAIGHT_JOIN ${this.factor()} ON 1`,
        () => `NATURAL JOIN ${this.factor()}`,
        () => `CROSS JOIN ${this.factor()} USING (zz)`,
      ])()}`;
    }
    return text;
  }

  private alias(): string {
    return this.pick(["", " AS x1", " x2", " AS a", " b", " AS `c`"]);
  }

  private factor(): string {
    this.depth -= 1;
    const text =
      this.depth <= 0 || this.chance(0.65)
        ? `${this.table()}${this.alias()}${this.maybe(0.05, () => " USE INDEX ()")}`
        : this.pick([
            () => `(${this.query()})${this.alias() || " x3"}`,
            () => `((${this.query()})) AS x4`,
            () => `(${this.joined()})`,
            () => `((${this.query()}) x5 JOIN ${this.factor()})`,
            () => `{oj ${this.table()} LEFT JOIN ${this.factor()} ON 1}`,
            () => `LATERAL (${this.query()}) x6`,
          ])();
    this.depth += 1;
    return text;
  }
}
