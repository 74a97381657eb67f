// The differential test: lexer, analyser and table ACL against real servers that hold the same policy as GRANTs. Nothing
// that the server denies may be allowed by the gate, but a writer's own UPDATE or DELETE; hardly anything that it allows
// may be refused.
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareTableAcl } from "../../src/acl/table-acl.ts";
import { createTableAclAuthorizer, type TableAclAuthorizer } from "../../src/acl/table-acl-authorizer.ts";
import { SqlError } from "../../src/errors/sql-error.ts";
import { analyzeText } from "../../src/sql/analyze.ts";
import { readingModesOf } from "../../src/sql/dialect.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { sqlServers, versionOf } from "../support/sql-servers.ts";
import { fileOf, identityOf } from "../unit/acl/support.ts";
import { compare, DifferentialResult, type Gate } from "./acl/differential.ts";
import { ansiQuote, disguise, disturb } from "./acl/lexical-mutations.ts";
import { installPolicy, limited, policyFile, schema } from "./acl/policy.ts";
import { isLostInThought } from "./acl/server-oracle.ts";
import { Dice, StatementGenerator } from "./acl/statement-generator.ts";

/** Statements of each kind of test; GATEHOUSE_TEST_DIFFERENTIAL asks for more. */
const rounds = Number(process.env.GATEHOUSE_TEST_DIFFERENTIAL ?? 1500);
const seed = Number(process.env.GATEHOUSE_TEST_SEED ?? 20_261_121);

const limits = { mariadb: "max_statement_time = 5", mysql: "max_execution_time = 5000" } as const;

describe.each(sqlServers)("statements against $name", ({ flavour, start, present }) => {
  let server: DatabaseServer;
  let account: Connection;
  let authorizer: TableAclAuthorizer;
  let version: { flavour: "mysql" | "mariadb"; version: number };

  beforeAll(async () => {
    if (!present) return;
    server = await start({ skipNetworking: true });
    const root = await server.connect();
    await installPolicy(root, flavour);
    version = await versionOf(root);
    root.destroy();
    await connectAccount("");
    authorizer = createTableAclAuthorizer(prepareTableAcl(fileOf(policyFile()), 0), {
      strict: true,
      dryRun: false,
      exempt: [],
    });
  });

  async function connectAccount(sqlMode: string): Promise<void> {
    account?.destroy();
    account = await createConnection({ socketPath: server.socketPath, ...limited, database: schema });
    await account.query(`SET autocommit = 0, sql_mode = '${sqlMode}', ${limits[flavour]}`);
  }

  afterAll(async () => {
    account?.destroy();
    await server?.stop();
  });

  const gate: Gate = (sql, ansiQuotes) => {
    const { statements } = analyzeText(Buffer.from(sql), {
      modes: readingModesOf(ansiQuotes ? "ANSI_QUOTES" : ""),
      ...version,
      characterSet: "utf8",
      defaultSchema: schema,
      lowerCaseTableNames: 0,
    });
    for (const statement of statements) {
      const verdict = authorizer.authorize(identityOf(limited.user), statement);
      if (verdict instanceof SqlError) return `${verdict.code} ${verdict.message}`;
    }
    return null;
  };

  /** What is refused beyond one in a hundred. MySQL looks for no right in a common table expression that nothing refers to. */
  function tooMuch({ excess, serverAllowed }: DifferentialResult) {
    const counted = flavour === "mysql" ? excess.filter(({ sql }) => !/\bwith\b/i.test(sql)) : excess;
    return counted.slice(0, Math.max(0, counted.length - serverAllowed / 100));
  }

  async function run(
    seedOffset: number,
    make: (generator: StatementGenerator, dice: Dice) => string,
    ansi = false,
  ) {
    const dice = new Dice(seed + seedOffset);
    const generator = new StatementGenerator(dice, 12);
    const result = new DifferentialResult();
    const sqlMode = ansi ? "ANSI_QUOTES" : "";
    await connectAccount(sqlMode);
    for (let round = 0; round < rounds; round += 1) {
      try {
        await compare(account, gate, make(generator, dice), result, ansi);
        await account.query("ROLLBACK");
      } catch (error) {
        if (!isLostInThought(error)) throw error;
        await server.restart();
        await connectAccount(sqlMode);
      }
    }
    return result;
  }

  describe.skipIf(!present)("as the limited account", () => {
    const patience = { timeout: 60_000 + rounds * 100 };

    it(
      "as the generator makes them: no hole, at most one in a hundred refused for nothing",
      patience,
      async () => {
        const result = await run(1, (generator) => generator.statement());
        expect(result.holes).toEqual([]);
        expect(tooMuch(result)).toEqual([]);
        expect(result.serverAllowed).toBeGreaterThan(rounds / 4);
        expect(result.serverDenied).toBeGreaterThan(rounds / 40);
      },
    );

    it("disguised by white space, comments, quotes and case: the same", patience, async () => {
      const result = await run(2, (generator, dice) => disguise(generator.statement(), dice));
      expect(result.holes).toEqual([]);
      expect(tooMuch(result)).toEqual([]);
      expect(result.serverAllowed).toBeGreaterThan(rounds / 4);
    });

    it("with names in double quotes under ANSI_QUOTES: the same", patience, async () => {
      const result = await run(3, (generator) => ansiQuote(generator.statement()), true);
      expect(result.holes).toEqual([]);
      expect(tooMuch(result)).toEqual([]);
      expect(result.serverAllowed).toBeGreaterThan(rounds / 4);
    });

    it("disturbed anywhere: no hole", patience, async () => {
      const result = await run(4, (generator, dice) => disturb(disguise(generator.statement(), dice), dice));
      expect(result.holes).toEqual([]);
      expect(result.serverDenied).toBeGreaterThan(rounds / 100);
    });

    it("disturbed twice under ANSI_QUOTES: no hole", patience, async () => {
      const twice = (generator: StatementGenerator, dice: Dice) =>
        disturb(disturb(ansiQuote(generator.statement()), dice), dice);
      const result = await run(5, twice, true);
      expect(result.holes).toEqual([]);
      expect(result.serverDenied).toBeGreaterThan(rounds / 200);
    });
  });
});
