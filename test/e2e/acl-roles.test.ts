// The roles of statement kinds against a real server: the same policy as an ACL file and as GRANTs, every statement of the
// corpus under every combination of rights. What the server denies the gate must deny; what it allows the gate may
// refuse only where the corpus says why.
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareTableAcl } from "../../src/acl/table-acl.ts";
import { createTableAclAuthorizer, type TableAclAuthorizer } from "../../src/acl/table-acl-authorizer.ts";
import { bareStatement, type StatementSummary } from "../../src/sql/statement-summary.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { fileOf, identityOf } from "../unit/acl/support.ts";
import {
  type Combination,
  combinations,
  installPolicy,
  limited,
  nameOf,
  type ObjectKind,
  objectKinds,
  policyFile,
  restoreObjects,
  schema,
} from "./acl/policy.ts";
import { type RoleCase, roleCases } from "./acl/role-corpus.ts";
import { isDenial, type ServerAnswer, tryStatement } from "./acl/server-oracle.ts";

let server: DatabaseServer;
let root: Connection;
let account: Connection;
let authorizer: TableAclAuthorizer;

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  root = await server.connect();
  await installPolicy(root);
  account = await createConnection({ socketPath: server.socketPath, ...limited, database: schema });
  authorizer = createTableAclAuthorizer(prepareTableAcl(fileOf(policyFile()), 0), {
    strict: true,
    dryRun: false,
    exempt: [],
  });
});

afterAll(async () => {
  account?.destroy();
  root?.destroy();
  await server?.stop();
});

type Choice = { readonly kind: ObjectKind; readonly combination: Combination };

function kindsIn(sql: string): ObjectKind[] {
  return objectKinds.filter((kind) => sql.includes(`{${kind}}`));
}

/** Every way to give each placeholder one of the eight combinations. */
function* choices(kinds: readonly ObjectKind[]): Generator<Choice[]> {
  const [kind, ...rest] = kinds;
  if (kind === undefined) {
    yield [];
    return;
  }
  for (const combination of combinations)
    for (const others of choices(rest)) yield [{ kind, combination }, ...others];
}

function summaryOf(item: RoleCase, chosen: readonly Choice[]): StatementSummary {
  const names = (kinds: readonly ObjectKind[] = []) =>
    kinds.map((kind) => {
      const choice = chosen.find((candidate) => candidate.kind === kind);
      if (choice === undefined) throw new Error(`${item.sql} has no {${kind}}`);
      return { schema, name: nameOf(kind, choice.combination), qualified: false };
    });
  return {
    ...bareStatement(item.kind),
    subject: item.subject ?? null,
    innerKinds: item.innerKinds ?? [],
    reads: names(item.reads),
    writes: names(item.writes),
    changes: names(item.changes),
    routines: (item.routines ?? []).map((name) => ({ schema, name })),
    schemas: item.schemas ?? [],
    assigns: item.assigns ?? [],
    serverFiles: item.serverFiles ?? false,
    updatableView: item.updatableView ?? false,
  };
}

interface Verdicts {
  readonly sql: string;
  readonly item: RoleCase;
  readonly chosen: readonly Choice[];
  readonly gateAllows: boolean;
  readonly answer: ServerAnswer;
}

async function judgeBoth(item: RoleCase): Promise<Verdicts[]> {
  const verdicts: Verdicts[] = [];
  for (const chosen of choices(kindsIn(item.sql))) {
    let sql = item.sql;
    for (const { kind, combination } of chosen) sql = sql.replaceAll(`{${kind}}`, nameOf(kind, combination));
    const gateAllows = !(
      authorizer.authorize(identityOf(limited.user), summaryOf(item, chosen)) instanceof Error
    );
    const answer = await tryStatement(account, sql);
    verdicts.push({ sql, item, chosen, gateAllows, answer });
    if (!isDenial(answer)) {
      await account.changeUser({ ...limited, database: schema });
      if (item.kind !== "SELECT") await restoreObjects(root, chosen);
    }
  }
  return verdicts;
}

/** The server wants SELECT on the very table that the statement may write. */
function isOwnRows({ item, answer, chosen }: Verdicts): boolean {
  if (item.ownRows === undefined || (answer.code !== 1143 && answer.code !== 1142)) return false;
  const targets = chosen.filter(({ kind }) => item.writes?.includes(kind) === true);
  return (
    answer.message.startsWith("SELECT command denied") &&
    targets.some(
      ({ kind, combination }) => answer.message.match(/['`](\w+)['`]$/)?.[1] === nameOf(kind, combination),
    )
  );
}

describe("roles against MariaDB", () => {
  it("has a corpus in which everything is used", () => {
    expect(roleCases.length).toBeGreaterThan(100);
    const used = new Set(roleCases.flatMap((item) => kindsIn(item.sql)));
    expect(used.size).toBe(objectKinds.length);
  });

  it("allows nothing that the server denies, but a writer's own rows", { timeout: 600_000 }, async () => {
    const holes: string[] = [];
    const excess: string[] = [];
    const stricterUnused = new Set(roleCases.filter((item) => item.stricter !== undefined));
    let ownRows = 0;
    let denied = 0;
    let allowed = 0;
    for (const item of roleCases) {
      for (const verdicts of await judgeBoth(item)) {
        const { sql, gateAllows, answer } = verdicts;
        if (answer.code === 1064) throw new Error(`Not valid here: ${sql}: ${answer.message}`);
        if (isDenial(answer)) {
          denied += 1;
          if (gateAllows && isOwnRows(verdicts)) ownRows += 1;
          else if (gateAllows) holes.push(`${sql}: ${answer.code} ${answer.message}`);
        } else {
          allowed += 1;
          if (!gateAllows && item.stricter !== undefined) stricterUnused.delete(item);
          else if (!gateAllows) excess.push(sql);
        }
      }
    }
    expect(holes).toEqual([]);
    expect(excess).toEqual([]);
    expect([...stricterUnused].map((item) => item.sql)).toEqual([]);
    expect(ownRows).toBeGreaterThan(0);
    expect(denied).toBeGreaterThan(500);
    expect(allowed).toBeGreaterThan(300);
  });
});
