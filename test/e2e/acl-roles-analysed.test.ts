// The statements of the role corpus, as the analysis understands them, against real servers that hold the policy as GRANTs:
// nothing that the server denies may be allowed by the gate, but a writer's own UPDATE or DELETE. What the gate refuses beyond
// that is the affair of the test against MariaDB, for which the corpus was written.
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prepareTableAcl } from "../../src/acl/table-acl.ts";
import { createTableAclAuthorizer } from "../../src/acl/table-acl-authorizer.ts";
import { SqlError } from "../../src/errors/sql-error.ts";
import { analyzeText } from "../../src/sql/analyze.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import { sqlServers, versionOf } from "../support/sql-servers.ts";
import { fileOf, identityOf } from "../unit/acl/support.ts";
import { contextOf } from "../unit/sql/support.ts";
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
import { roleCases } from "./acl/role-corpus.ts";
import { isDenial, tryStatement } from "./acl/server-oracle.ts";

type Choice = { readonly kind: ObjectKind; readonly combination: Combination };

/** Every way to give each placeholder one of the combinations. */
function* choices(kinds: readonly ObjectKind[]): Generator<Choice[]> {
  const [kind, ...rest] = kinds;
  if (kind === undefined) {
    yield [];
    return;
  }
  for (const combination of combinations)
    for (const others of choices(rest)) yield [{ kind, combination }, ...others];
}

describe.each(sqlServers)("roles against $name", ({ flavour, start, present }) => {
  let server: DatabaseServer;
  let version: Awaited<ReturnType<typeof versionOf>>;
  let root: Connection;
  let account: Connection;
  const authorizer = createTableAclAuthorizer(prepareTableAcl(fileOf(policyFile()), 0), {
    strict: true,
    dryRun: false,
    exempt: [],
  });

  beforeAll(async () => {
    if (!present) return;
    server = await start({ skipNetworking: true });
    root = await server.connect();
    version = await versionOf(root);
    await installPolicy(root, flavour);
    account = await createConnection({ socketPath: server.socketPath, ...limited, database: schema });
  });

  afterAll(async () => {
    account?.destroy();
    root?.destroy();
    await server?.stop();
  });

  function allows(sql: string): boolean {
    const { statements } = analyzeText(
      Buffer.from(sql),
      contextOf(flavour, { ...version, defaultSchema: schema }),
    );
    return statements.every(
      (one) => !(authorizer.authorize(identityOf(limited.user), one) instanceof SqlError),
    );
  }

  it.skipIf(!present)("the gate allows nothing that the server denies", { timeout: 900_000 }, async () => {
    const holes = new Map<string, string>();
    let denied = 0;
    for (const { sql: pattern, kind, ownRows } of roleCases) {
      for (const chosen of choices(objectKinds.filter((one) => pattern.includes(`{${one}}`)))) {
        let sql = pattern;
        for (const one of chosen) sql = sql.replaceAll(`{${one.kind}}`, nameOf(one.kind, one.combination));
        const gateAllows = allows(sql);
        const answer = await tryStatement(account, sql);
        // Syntax of the other family's.
        if (answer.code === 1064) break;
        if (isDenial(answer)) {
          denied += 1;
          const isOwn = ownRows === true && answer.message.startsWith("SELECT command denied");
          if (gateAllows && !isOwn) holes.set(pattern, `${sql}: ${answer.code} ${answer.message}`);
        } else if (kind !== "SELECT") {
          await account.changeUser({ ...limited, database: schema });
          await restoreObjects(root, chosen, flavour);
        }
      }
    }
    expect([...holes]).toEqual([]);
    expect(denied).toBeGreaterThan(500);
  });
});
