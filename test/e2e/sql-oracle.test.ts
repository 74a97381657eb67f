// The analyser against live servers: of every statement of the table and of random ones, it must name each table that the
// server opens. GATEHOUSE_ORACLE_STATEMENTS may name a JSON file with more statements (strings, or objects with `sql`), and
// GATEHOUSE_ORACLE_SECONDS how long they may take; its figures are printed.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyzeText } from "../../src/sql/analyze.ts";
import type { Flavour } from "../../src/sql/dialect.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { RandomStatements } from "../support/random-statements.ts";
import { sqlServers, versionOf } from "../support/sql-servers.ts";
import { TableOracle } from "../support/table-oracle.ts";
import { contextOf } from "../unit/sql/support.ts";

interface Entry {
  readonly sql: string;
  readonly on?: string;
  readonly mode?: string;
}

const fixture: readonly Entry[] = JSON.parse(
  readFileSync(new URL("../fixtures/sql/statements.json", import.meta.url), "utf8"),
);
const moreStatements = process.env.GATEHOUSE_ORACLE_STATEMENTS;
const secondsMax = Number(process.env.GATEHOUSE_ORACLE_SECONDS ?? "240");
const randomCount = Number(process.env.GATEHOUSE_ORACLE_RANDOM ?? "400");
const seed = Number(process.env.GATEHOUSE_ORACLE_SEED ?? "7");

/** Statements whose tables servers open at PREPARE. */
const opening =
  /^[\s(]*(select|insert|update|delete|replace|with|do|set\s+@|values|table|explain\s+(?!partitions|for)|analyze\s+(select|format|update|delete))/i;
const systemNames = /mysql\.|information_schema|performance_schema|sys\./i;

interface Figures {
  exact: number;
  missing: string[];
  extra: string[];
  refused: string[];
  unknown: number;
}

async function compare(
  oracle: TableOracle,
  version: { readonly flavour: Flavour; readonly version: number },
  statements: Iterable<Entry>,
  until: number,
): Promise<Figures> {
  const figures: Figures = { exact: 0, missing: [], extra: [], refused: [], unknown: 0 };
  for (const { sql, mode } of statements) {
    if (Date.now() > until) break;
    const { tables, verdict } = await oracle.tablesOf(sql, mode);
    if (verdict === null) {
      figures.unknown += 1;
      continue;
    }
    const context = contextOf(version.flavour, {
      ...version,
      defaultSchema: oracle.schema,
      mode: mode ?? "",
    });
    const analyzed = analyzeText(Buffer.from(sql), context);
    if (analyzed.uncertain !== null) {
      if (verdict === true) figures.refused.push(`${analyzed.uncertain.reason}: ${sql}`);
      continue;
    }
    const found = new Set(
      analyzed.statements.flatMap((one) =>
        [...one.reads, ...one.writes, ...one.changes].map(({ schema, name }) => `${schema}.${name}`),
      ),
    );
    const missing = tables.filter((table) => !found.has(table));
    if (missing.length > 0) figures.missing.push(`${missing.join(" ")}: ${sql}`);
    else if (found.size > tables.length) figures.extra.push(sql);
    else figures.exact += 1;
  }
  return figures;
}

function* randomStatements(): Generator<Entry> {
  const random = new RandomStatements(seed);
  for (let count = 0; count < randomCount; count += 1) yield { sql: random.next() };
}

function print({ exact, missing, extra, refused, unknown }: Figures, oracle: TableOracle): void {
  const counts = { missing: missing.length, extra: extra.length, refused: refused.length };
  console.log({ exact, ...counts, unknown, serverStarts: oracle.revivals });
  for (const line of [...missing, ...refused.slice(0, 60)]) console.log(line.slice(0, 400));
}

for (const { name, flavour, start, present } of sqlServers) {
  describe.skipIf(!present)(`the tables of a statement, as ${name} opens them`, () => {
    let server: DatabaseServer;
    let oracle: TableOracle;
    let version: { flavour: Flavour; version: number };

    beforeAll(async () => {
      server = await start({ skipNetworking: true });
      oracle = new TableOracle(server);
      const root = await server.connect();
      version = await versionOf(root);
      await root.end();
    });
    afterAll(async () => {
      await oracle?.end();
      await server?.stop();
    });

    it("are named for every statement of the table", async () => {
      const own = fixture.filter(({ sql, on }) => (on === "both" || on === flavour) && opening.test(sql));
      const figures = await compare(oracle, version, own, Number.POSITIVE_INFINITY);
      expect(figures.missing).toEqual([]);
      expect(figures.exact).toBeGreaterThan(100);
    }, 1_200_000);

    it("are named for random statements", async () => {
      const figures = await compare(oracle, version, randomStatements(), Number.POSITIVE_INFINITY);
      if (randomCount > 1000) print(figures, oracle);
      expect(figures.missing).toEqual([]);
      expect(figures.refused).toEqual([]);
      expect(figures.exact).toBeGreaterThan(randomCount / 5);
    }, 2_400_000);

    it.skipIf(moreStatements === undefined)(
      "are named for the statements of a file",
      async () => {
        const list: (string | Entry)[] = JSON.parse(readFileSync(moreStatements ?? "", "utf8"));
        const picked = list
          .map((entry) => (typeof entry === "string" ? { sql: entry } : entry))
          .filter(({ sql }) => opening.test(sql) && !systemNames.test(sql) && sql.length < 2500);
        const figures = await compare(oracle, version, picked, Date.now() + secondsMax * 1000);
        print(figures, oracle);
        expect(figures.missing).toEqual([]);
      },
      3_600_000,
    );
  });
}
