// Every word that the lexer knows, as the name of a stored function and of a table: where a server calls the function or opens
// the table, the analysis must name it. A word that it takes for a part of the grammar there would be a way past the ACL.
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyzeText } from "../../src/sql/analyze.ts";
import type { AnalyzedText } from "../../src/sql/analyzed-text.ts";
import { builtinFunction } from "../../src/sql/builtin-functions.ts";
import { reservedWords } from "../../src/sql/reserved-words.ts";
import { wordNames } from "../../src/sql/words.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { sqlServers, versionOf } from "../support/sql-servers.ts";
import { contextOf } from "../unit/sql/support.ts";

const schema = "words";
const words = wordNames.filter((word) => /^[A-Z]{2}/.test(word));
/** Built-ins that are no words of the lexer, on any server. */
const functions = [
  ...words,
  ..."UUID_V4 FORMAT_BYTES SYS_GUID GEOMCOLLECTION ETAG X Y EQUALS BUFFER WITHIN MEDIAN ST_COLLECT NOW".split(
    " ",
  ),
];

/** `N` is the name, `()` its arguments. */
const calls = [
  "SELECT N()",
  "SELECT N ()",
  "SELECT `N`()",
  "SELECT 1, N(), 2",
  "SELECT 1 FROM DUAL WHERE N() > ''",
  "SELECT 1 FROM (SELECT 1) x GROUP BY N()",
  "SELECT 'a' LIKE 'b' ESCAPE N()",
  "SELECT NOT N()",
  "DO N()",
  "SELECT COUNT(N())",
  "SELECT SUM(1) OVER (ORDER BY N())",
  "SELECT DISTINCT N()",
];

/** `W` is the word; with the tables that are opened. */
const tables: readonly (readonly [sql: string, opened: string])[] = [
  ["SELECT * FROM W", "W"],
  ["SELECT * FROM a, W", "a W"],
  ["SELECT * FROM a JOIN W", "a W"],
  ["SELECT * FROM W x", "W"],
  ["SELECT * FROM a x JOIN W y ON 1", "a W"],
  ["INSERT W VALUES (6)", "W"],
  ["REPLACE INTO W SET a = 7", "W"],
  ["UPDATE W SET a = a", "W"],
  ["DELETE FROM W", "W"],
  ["DELETE W FROM W JOIN a", "a W"],
  ["TRUNCATE W", "W"],
  ["DESCRIBE W", "W"],
  ["DESC W a", "W"],
  ["EXPLAIN W", "W"],
  ["TABLE W", "W"],
  ["SHOW COLUMNS FROM W", "W"],
  ["CHECKSUM TABLE W", "W"],
  ["LOCK TABLES W READ", "W"],
  // The table behind an alias of that name, and behind a column's.
  ["SELECT * FROM b W, a", "a b"],
  ["SELECT * FROM b W JOIN a ON 1", "a b"],
  ["SELECT a W FROM a", "a"],
  ["SELECT 1 FROM b WHERE 1 UNION SELECT a W FROM a", "a b"],
];

describe.each(sqlServers)("every word as a name, on $name", ({ flavour, start, present }) => {
  let server: DatabaseServer;
  let db: Connection;
  let version: Awaited<ReturnType<typeof versionOf>>;

  beforeAll(async () => {
    if (!present) return;
    server = await start({ skipNetworking: true, flags: ["--log-bin-trust-function-creators=1"] });
    db = await server.connect();
    version = await versionOf(db);
    for (const sql of [
      `CREATE DATABASE ${schema}`,
      `USE ${schema}`,
      "CREATE TABLE a (a INT)",
      "CREATE TABLE b (a INT)",
    ])
      await db.query(sql);
  }, 120_000);
  afterAll(async () => {
    db?.destroy();
    await server?.stop();
  });

  /** The error's number; 0: none. */
  const ask = (sql: string): Promise<number> =>
    db.query(sql).then(
      () => 0,
      (error: { errno?: number }) => error.errno ?? -1,
    );
  const analyze = (sql: string): AnalyzedText =>
    analyzeText(Buffer.from(sql), contextOf(flavour, { ...version, defaultSchema: schema }));

  it.skipIf(!present).each(["", "1", "1, 2", "1, 2, 3"])(
    "calls with (%s): none goes unnoticed",
    { timeout: 600_000 },
    async (args) => {
      const missed: string[] = [];
      let called = 0;
      for (const name of functions) {
        for (const form of args === "" ? calls : calls.slice(0, 3)) {
          const sql = form
            .replace(/N( ?)\(\)/, `${name}$1(${args})`)
            .replace("`N`()", `\`${name}\`(${args})`);
          // No such function is there: where the server misses it, it would have called it.
          if ((await ask(sql)) !== 1305) continue;
          called += 1;
          const { uncertain, statements } = analyze(sql);
          const isNoticed = statements.some(({ routines }) => routines.length > 0);
          if (uncertain === null && !isNoticed) missed.push(sql);
        }
      }
      expect(missed).toEqual([]);
      expect(called).toBeGreaterThan(100);
    },
  );

  it.skipIf(!present)("built-ins are not taken for stored functions", async () => {
    const known = ["ABS", "NOW", "IF", "COALESCE", "JSON_VALUE", "CONCAT", "LAST_INSERT_ID"];
    for (const name of known) expect(builtinFunction(name, flavour, version.version)).toBeDefined();
    expect(await ask("SELECT ABS(1), NOW(), IF(1, 2, 3)")).toBe(0);
    expect(analyze("SELECT ABS(1), NOW(), IF(1, 2, 3)").statements[0]?.routines).toEqual([]);
  });

  it.skipIf(!present)("tables: each is named", { timeout: 600_000 }, async () => {
    const missed: string[] = [];
    let opened = 0;
    // Reserved words are refused wherever they stand for a table.
    for (const word of words.filter((one) => !reservedWords.has(one))) {
      if ((await ask(`CREATE TABLE \`${word}\` (a INT PRIMARY KEY)`)) !== 0) continue;
      for (const [form, opens] of tables) {
        const sql = form.replace(/\bW\b/g, word);
        if ((await ask(sql)) !== 0) continue;
        const { uncertain, statements } = analyze(sql);
        const named = statements.flatMap(({ reads, writes, changes }) =>
          [...reads, ...writes, ...changes].map(({ name }) => name),
        );
        opened += 1;
        const wanted = opens.split(" ").map((table) => (table === "W" ? word : table));
        if (uncertain === null && !wanted.every((table) => named.includes(table)))
          missed.push(`${sql}: ${named.join(" ")}`);
      }
      await ask("UNLOCK TABLES");
      await ask(`DROP TABLE \`${word}\``);
    }
    expect(missed).toEqual([]);
    expect(opened).toBeGreaterThan(3000);
  });
});
