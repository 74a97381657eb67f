// THE table of the query log's fields. Names and meanings are stable: other programs read them. docs/query-log.md is
// generated from it.

import type { AuditField } from "./audit-table.ts";

export const queryLogFields = {
  connection_id: { type: "number", help: "The gateway's id of the connection, as CONNECTION_ID() tells it" },
  user: { type: "string", help: "The name that the client logged in with" },
  user_data: { type: "string or null", help: "The name that ACL and routing decide by" },
  host: {
    type: "string",
    help: "Where the client comes from: an IP address, or `localhost` for the unix socket",
  },
  database: { type: "string or null", help: "Default schema when the statement had ended; null: none" },
  tablet: {
    type: "string or null",
    help: "The database server that answered; null: none, or its connection was given back already",
  },
  command: { type: "string", help: "`COM_QUERY`, `COM_STMT_PREPARE` or `COM_STMT_EXECUTE`" },
  statement_kind: {
    type: "string or null",
    help: "The head of the statement, of several the first, e.g. `SELECT` or `CREATE TABLE`; null: not recognised",
  },
  fingerprint: {
    type: "string or null",
    help: "The statement with `?` in place of every value, without comments; cut after 4096 characters. null: see `no_fingerprint_because`",
  },
  fingerprint_id: {
    type: "string or null",
    help: "16 hexadecimal digits that are the same for equal fingerprints, also beyond the cut",
  },
  no_fingerprint_because: {
    type: "string or null",
    help: "A code, see below; then nothing of the text is recorded but its kind and length",
  },
  text_bytes: { type: "number or null", help: "Length of the text; null: it is not known any more" },
  duration_ms: {
    type: "number",
    help: "From the command's last byte to the last byte of its reply, in milliseconds",
  },
  outcome: { type: "string", help: "`ok`, `error`, or `cut`: the session ended before the reply" },
  error_code: { type: "number or null", help: "The MySQL error that the client got; null: none" },
  logged_because: { type: "string", help: "`slow`, or `sample`: chosen by chance" },
} as const satisfies Record<string, AuditField>;
