// Queries of a server's variables with the gateway's values in them: for SHOW VARIABLES with a condition, for servers that
// lack variables of proxy users, and for the tables of the same content.

import type { Flavour } from "../sql/dialect.ts";

/** What differs from what the server has. `null`: NULL. */
export interface OwnVariables {
  readonly proxyUser: string | null;
  readonly connectionId: number;
  /** The switches, by name. */
  readonly switches: ReadonlyMap<string, boolean>;
}

/** Rows of VARIABLE_NAME and VARIABLE_VALUE. */
export function variableRows(own: OwnVariables, flavour: Flavour, scope: "session" | "global"): string {
  const schema = flavour === "mariadb" ? "information_schema" : "performance_schema";
  const names = ["VARIABLE_NAME", "VARIABLE_VALUE"];
  const rows = selectFrom(`${schema}.${scope}_variables`, names, own, flavour);
  return union(rows, own, flavour, (name, value) => [name, value]);
}

/** The same as SHOW VARIABLES names it: MariaDB's table has its names in capitals. */
export function shownVariables(own: OwnVariables, flavour: Flavour, scope: "session" | "global"): string {
  const name = flavour === "mariadb" ? "LOWER(VARIABLE_NAME)" : "VARIABLE_NAME";
  const rows = variableRows(own, flavour, scope);
  return `SELECT ${name} AS \`Variable_name\`, VARIABLE_VALUE AS \`Value\` FROM (${rows}) AS \`v\``;
}

const systemVariables = [
  ...["VARIABLE_NAME", "SESSION_VALUE", "GLOBAL_VALUE", "GLOBAL_VALUE_ORIGIN", "DEFAULT_VALUE"],
  ...["VARIABLE_SCOPE", "VARIABLE_TYPE", "VARIABLE_COMMENT", "NUMERIC_MIN_VALUE", "NUMERIC_MAX_VALUE"],
  ...["NUMERIC_BLOCK_SIZE", "ENUM_VALUE_LIST", "READ_ONLY", "COMMAND_LINE_ARGUMENT", "GLOBAL_VALUE_PATH"],
];

/** Rows of MariaDB's information_schema.SYSTEM_VARIABLES. */
export function systemVariableRows(own: OwnVariables): string {
  const rows = selectFrom("information_schema.system_variables", systemVariables, own, "mariadb");
  return union(rows, own, "mariadb", (name, value) => [
    ...[name, "NULL", value, "'CONFIG'", "'OFF'", "'GLOBAL'", "'BOOLEAN'", "'A setting of the gateway'"],
    ...["NULL", "NULL", "NULL", "'OFF,ON'", "'YES'", "'OPTIONAL'", "NULL"],
  ]);
}

/** What the second column says for variables of the session. MySQL has some of the switches, as plugins are loaded. */
function selectFrom(
  table: string,
  columns: readonly string[],
  { proxyUser, connectionId, switches }: OwnVariables,
  flavour: Flavour,
): string {
  const cases = [
    ["proxy_user", `_utf8mb4 x'${Buffer.from(proxyUser ?? "", "utf8").toString("hex")}'`],
    ["external_user", "''"],
    ["pseudo_thread_id", `'${connectionId}'`],
  ].map(([name, value]) => ` WHEN '${name}' THEN ${value}`);
  const items = columns.map((column, index) => {
    const value = index === 1 ? `CASE VARIABLE_NAME${cases.join("")} ELSE ${column} END` : column;
    return `${converted(value, flavour)} AS ${column}`;
  });
  const names = [...switches.keys()].map((name) => `'${name}'`);
  return `SELECT ${items.join(", ")} FROM ${table} WHERE VARIABLE_NAME NOT IN (${names.join(", ")})`;
}

function union(
  rows: string,
  { switches }: OwnVariables,
  flavour: Flavour,
  row: (name: string, value: string) => readonly string[],
): string {
  const added = [...switches].map(([name, on]) => {
    const values = row(`'${flavour === "mariadb" ? name.toUpperCase() : name}'`, on ? "'ON'" : "'OFF'");
    return ` UNION ALL SELECT ${values.map((value) => converted(value, flavour)).join(", ")}`;
  });
  return rows + added.join("");
}

/** All in the character set of the server's names: a UNION does not mix. */
function converted(value: string, flavour: Flavour): string {
  return `CONVERT(${value} USING ${flavour === "mariadb" ? "utf8mb3" : "utf8mb4"})`;
}
