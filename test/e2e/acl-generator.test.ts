// The material of the differential test, tried on a server alone: most of what the generator makes is valid, and what its
// disguises change does not change the server's verdict.
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { disguise, disturb } from "./acl/lexical-mutations.ts";
import { installPolicy, limited, schema } from "./acl/policy.ts";
import { isDenial, type ServerAnswer, tryStatement } from "./acl/server-oracle.ts";
import { Dice, StatementGenerator } from "./acl/statement-generator.ts";

let server: DatabaseServer;
let account: Connection;

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  const root = await server.connect();
  await installPolicy(root);
  root.destroy();
  account = await createConnection({ socketPath: server.socketPath, ...limited, database: schema });
  await account.query("SET autocommit = 0, max_statement_time = 5");
});

afterAll(async () => {
  account?.destroy();
  await server?.stop();
});

async function ask(sql: string): Promise<ServerAnswer> {
  const answer = await tryStatement(account, sql);
  await account.query("ROLLBACK");
  return answer;
}

describe("the statement generator", () => {
  it("makes the same statements from the same seed", () => {
    const make = () => new StatementGenerator(new Dice(3), 10).statement();
    expect(make()).toBe(make());
  });

  it("makes mostly valid statements, and disguises that the server reads alike", async () => {
    const dice = new Dice(11);
    const generator = new StatementGenerator(dice, 20);
    const counts = { allowed: 0, denied: 0, invalid: 0 };
    const differing: string[] = [];
    for (let round = 0; round < 400; round++) {
      const sql = generator.statement();
      const answer = await ask(sql);
      if (isDenial(answer)) counts.denied += 1;
      else if (answer.code === 1064) counts.invalid += 1;
      else counts.allowed += 1;
      const hidden = disguise(sql, dice);
      const again = await ask(hidden);
      if (again.code !== answer.code)
        differing.push(`${answer.code} ${again.code} ${again.message}: ${hidden}`);
    }
    expect(differing).toEqual([]);
    expect(counts.invalid).toBeLessThan(60);
    expect(counts.denied).toBeGreaterThan(20);
    expect(counts.allowed).toBeGreaterThan(250);
  });

  it("makes disturbed statements of which some still run and some are denied", async () => {
    const dice = new Dice(12);
    const generator = new StatementGenerator(dice, 20);
    let denied = 0;
    let ran = 0;
    for (let round = 0; round < 400; round++) {
      const answer = await ask(disturb(generator.statement(), dice));
      if (isDenial(answer)) denied += 1;
      else if (answer.code === 0) ran += 1;
    }
    expect(denied).toBeGreaterThan(5);
    expect(ran).toBeGreaterThan(20);
  });
});
