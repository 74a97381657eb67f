// Every variable that follows a session, on real servers: it can be set, set again to the same, and brought back, in the
// words that the pool uses.
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  followingVariables,
  noSettings,
  settingElements,
  withNames,
  withVariable,
} from "../../../src/backend/session-settings.ts";
import type { DatabaseServer } from "../../support/database-server.ts";
import { startMariadb } from "../../support/mariadb-server.ts";
import { mysqldCommand, startMysql } from "../../support/mysql-server.ts";

const kinds = [
  { flavour: "mariadb", start: startMariadb, skip: false },
  { flavour: "mysql", start: startMysql, skip: mysqldCommand === null },
] as const;

/** Variables that only one of the servers has. */
const onlyOn: Readonly<Record<string, string>> = {
  cte_max_recursion_depth: "mysql",
  max_execution_time: "mysql",
  idle_transaction_timeout: "mariadb",
  max_statement_time: "mariadb",
};

const bigSizes = /buffer_size|table_size/;
const special: Readonly<Record<string, string>> = {
  time_zone: "+02:00",
  lc_time_names: "de_DE",
  sql_mode: "ANSI",
  transaction_isolation: "READ-COMMITTED",
  updatable_views_with_limit: "NO",
};

describe.each(kinds)("on $flavour", ({ flavour, start, skip }) => {
  let server: DatabaseServer;
  let connection: Connection;
  beforeAll(async () => {
    if (skip) return;
    server = await start({});
    connection = await server.connect();
  });
  afterAll(async () => {
    await connection?.end();
    await server?.stop();
  });

  // What mysql2 asks for at its login.
  const login = { flavour, versionNumber: 0, ignoreSpace: true };
  const readVariable = async (name: string): Promise<unknown> => {
    const [rows] = await connection.query({ sql: `SELECT @@session.${name}`, rowsAsArray: true });
    return (rows as unknown[][])[0]?.[0];
  };
  const nameHere = (name: string): string =>
    flavour === "mariadb" ? name.replace(/^transaction_(isolation|read_only)$/, "tx_$1") : name;

  it.skipIf(skip).each([...followingVariables].filter((name) => (onlyOn[name] ?? flavour) === flavour))(
    "%s follows",
    async (name) => {
      const here = nameHere(name);
      const before = await readVariable(here);
      const other =
        special[name] ??
        (bigSizes.test(name) ? "65536" : before === 0 || before === 1 ? String(1 - before) : "33");
      const set = withVariable(noSettings, name, other);
      if (set === null) throw new Error("it does not follow");
      await connection.query(`SET ${settingElements(noSettings, set, login).join(", ")}`);
      const there = await readVariable(here);
      if (name !== "optimizer_prune_level") expect(there).not.toEqual(before);
      await connection.query(`SET ${settingElements(noSettings, set, login).join(", ")}`);
      expect(await readVariable(here)).toEqual(there);
      await connection.query(`SET ${settingElements(set, noSettings, login).join(", ")}`);
      expect(await readVariable(here)).toEqual(before);
    },
  );

  it.skipIf(skip)("character sets follow, several at a time", async () => {
    const latin = withNames(noSettings, "latin1", "latin1_german1_ci");
    const mixed = latin === null ? null : withVariable(latin, "character_set_results", "NULL");
    if (mixed === null) throw new Error("they do not follow");
    await connection.query("SET NAMES utf8mb4");
    await connection.query(`SET ${settingElements(noSettings, mixed, login).join(", ")}`);
    expect(await readVariable("character_set_client")).toBe("latin1");
    expect(await readVariable("collation_connection")).toBe("latin1_german1_ci");
    expect(await readVariable("character_set_results")).toBeNull();
  });
});

describe("what does not follow", () => {
  it.each([
    ["sql_log_bin", "0"],
    ["timestamp", "5"],
    ["insert_id", "5"],
    ["sql_select_limit", "0"],
    ["foreign_key_checks", null],
    ["sql_mode", "ANSI'; DROP TABLE t; --"],
    ["sql_mode", "x".repeat(600)],
    ["time_zone", "Ürümqi"],
    ["nosuch", "1"],
  ])("%s = %s", (name, value) => {
    expect(withVariable(noSettings, name, value)).toBeNull();
  });
});
