// The flags of `gatehouse explain`, beside those of serve.

import type { FlagTable } from "./flag-table.ts";

const group = { group: "Explain" } as const;

export const explainFlags = {
  user: { ...group, type: "text", default: null, help: "The name that the client logs in with" },
  user_data: {
    ...group,
    type: "text",
    default: null,
    help: "UserData of the entry that accepts the login, where the user has entries with different ones",
  },
  host: { ...group, type: "text", default: "localhost", help: "Where the client comes from: an IP address" },
  query: {
    ...group,
    type: "text",
    default: null,
    help: "The text, as the client would send it; - reads it from standard input",
  },
  database: {
    ...group,
    type: "text",
    default: null,
    help: "The client's default schema, or target (shop@replica)",
  },
  sql_mode: { ...group, type: "list", default: null, help: "The client's sql_mode" },
  server_version: {
    ...group,
    type: "text",
    default: null,
    help: "The server that reads it, e.g. 8.4.3 or 10.11.6-MariaDB; without it that of mysql_server_version, or 8.4.0",
  },
  lower_case_table_names: {
    ...group,
    type: "integer",
    default: "0",
    min: 0,
    max: 2,
    help: "That server's variable: 0 tells names apart by case",
  },
  json: { ...group, type: "boolean", default: "false", help: "Print JSON" },
} as const satisfies FlagTable;
