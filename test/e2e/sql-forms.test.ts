// Every form of every statement, as the manuals of the servers list them: what a server takes, the analysis understands. The
// few that are refused on purpose are named here.
import { readFileSync } from "node:fs";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { analyzeText } from "../../src/sql/analyze.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { sqlServers, versionOf } from "../support/sql-servers.ts";
import { contextOf } from "../unit/sql/support.ts";

const linesOf = (name: string): readonly string[] =>
  readFileSync(new URL(`../fixtures/sql/${name}.sql`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "");

/** Valid, and refused on purpose: their text is not one that can be read. */
const onPurpose = [
  /^CREATE EXTERNAL TABLE/,
  /AS \$\$/,
  /LANGUAGE JAVASCRIPT AS '/,
  /^EXECUTE IMMEDIATE CONCAT/,
] as const;

/** Syntax errors: the statement is one of another version. */
const invalid = new Set([1064, 1149]);

describe.each(sqlServers)("the forms of statements that $name knows", ({ flavour, start, present }) => {
  let server: DatabaseServer;
  let db: Connection;
  let version: Awaited<ReturnType<typeof versionOf>>;

  async function connect(): Promise<void> {
    db?.destroy();
    db = await server.connect("shop");
    db.on("error", () => {});
    await db.query("SET lock_wait_timeout = 1");
  }

  beforeAll(async () => {
    if (!present) return;
    server = await start({ skipNetworking: true });
    await connect();
    version = await versionOf(db);
    // Some of them are of the other family.
    for (const sql of linesOf("forms-setup")) await db.query(sql).catch(() => {});
  });
  afterAll(async () => {
    db?.destroy();
    await server?.stop();
  });

  /** Its error's number; 0: it ran. Null: it has no answer, since the connection is gone or LOCAL was asked for. */
  async function ask(sql: string): Promise<number | null> {
    try {
      await db.query({ sql, timeout: 30_000 });
      return 0;
    } catch (error) {
      const { errno } = error as { errno?: number };
      if (errno === undefined) await connect();
      return errno ?? null;
    }
  }

  it.skipIf(!present)("are all understood", { timeout: 600_000 }, async () => {
    const refused: string[] = [];
    let taken = 0;
    for (const sql of [...linesOf("forms-both"), ...linesOf(`forms-${flavour}`)]) {
      const context = contextOf(flavour, { ...version, defaultSchema: "shop" });
      const { uncertain } = analyzeText(Buffer.from(sql), context);
      const answer = await ask(sql);
      if (answer !== null && invalid.has(answer)) continue;
      taken += 1;
      if (uncertain !== null && !onPurpose.some((pattern) => pattern.test(sql)))
        refused.push(`${uncertain.reason}: ${sql} (${answer})`);
    }
    expect(refused).toEqual([]);
    expect(taken).toBeGreaterThan(520);
  });
});
