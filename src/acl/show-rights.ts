// THE table of SHOW: what each form needs, and which of its rows a caller may see. A form that does not stand here is
// refused (https://dev.mysql.com/doc/refman/8.4/en/show.html).

import type { StatementSummary } from "../sql/statement-summary.ts";

/** Which column of a listing names what its rows are about; columns count from 0. */
export interface Listing {
  readonly object: "table" | "routine" | "schema" | "message";
  /** The column with the schema; null: the schema that the statement names, else the session's default schema. */
  readonly schemaColumn: number | null;
  /** The column with the name; for schemas the same as `schemaColumn`, for messages the one with the text. */
  readonly nameColumn: number;
  /** The role that a row needs; null for schemas and messages. */
  readonly role: "reader" | "admin" | "executor" | null;
  /** Columns up to `nameColumn` that hold a number: four bytes in replies to prepared statements. */
  readonly numberColumns?: readonly number[];
}

/** What one form of SHOW needs. */
export type ShowRights =
  /** Nothing beyond the tables, routines and schemas that it names; `listing`: the session drops rows. */
  | {
      readonly by: "objects";
      readonly needs: readonly ("reads" | "routines" | "schemas")[];
      readonly word: string;
      readonly listing: Listing | null;
    }
  /** The gateway answers it itself; it is never relayed as it stands. */
  | { readonly by: "gateway" }
  | { readonly by: "server"; readonly privilege: string }
  | { readonly by: "accounts"; readonly privilege: string };

type Shown = Extract<ShowRights, { by: "objects" }>;

const free: Shown = { by: "objects", needs: [], word: "SELECT", listing: null };
const table = (word = "SELECT"): Shown => ({ by: "objects", needs: ["reads"], word, listing: null });
const routine: Shown = { by: "objects", needs: ["routines"], word: "execute", listing: null };
const inSchema: Shown = { by: "objects", needs: ["schemas"], word: "SELECT", listing: null };
const listed = (listing: Listing): Shown => ({ ...free, listing });
const server = (privilege: string): ShowRights => ({ by: "server", privilege });

const tablesOfSchema = listed({ object: "table", schemaColumn: null, nameColumn: 0, role: "reader" });
const routines = listed({ object: "routine", schemaColumn: 0, nameColumn: 1, role: "executor" });
const schemas = listed({ object: "schema", schemaColumn: 0, nameColumn: 0, role: null });
/** Errors of foreign keys name tables of which the caller may know nothing. */
const messages = listed({
  object: "message",
  schemaColumn: null,
  nameColumn: 2,
  role: null,
  numberColumns: [1],
});
const replication = "SUPER or REPLICATION CLIENT";

const subjects = {
  TABLES: tablesOfSchema,
  "TABLE STATUS": tablesOfSchema,
  "OPEN TABLES": listed({ object: "table", schemaColumn: 0, nameColumn: 1, role: "reader" }),
  // The rows hold the triggers' bodies, which servers show to those who may change them.
  TRIGGERS: listed({ object: "table", schemaColumn: null, nameColumn: 2, role: "admin" }),
  DATABASES: schemas,
  SCHEMAS: schemas,
  "PROCEDURE STATUS": routines,
  "FUNCTION STATUS": routines,
  // mariadb-dump --routines asks for them, whether there are any or not.
  "PACKAGE STATUS": routines,
  "PACKAGE BODY STATUS": routines,
  COLUMNS: table(),
  FIELDS: table(),
  INDEX: table(),
  INDEXES: table(),
  KEYS: table(),
  "CREATE TABLE": table("SHOW"),
  "CREATE VIEW": table("SHOW VIEW"),
  "CREATE SEQUENCE": table("SHOW"),
  "CREATE PROCEDURE": routine,
  "CREATE FUNCTION": routine,
  "CREATE DATABASE": inSchema,
  "CREATE SCHEMA": inSchema,
  "CREATE TRIGGER": inSchema,
  VARIABLES: free,
  STATUS: free,
  WARNINGS: messages,
  ERRORS: messages,
  "COUNT(*) WARNINGS": free,
  "COUNT(*) ERRORS": free,
  "CHARACTER SET": free,
  CHARSET: free,
  COLLATION: free,
  ENGINES: free,
  "STORAGE ENGINES": free,
  PLUGINS: free,
  "PLUGINS SONAME": free,
  PRIVILEGES: free,
  PROFILE: free,
  PROFILES: free,
  AUTHORS: free,
  CONTRIBUTORS: free,
  LOCALES: free,
  QUERY_RESPONSE_TIME: server("PROCESS"),
  WSREP_STATUS: server("PROCESS"),
  WSREP_MEMBERSHIP: server("PROCESS"),
  GRANTS: { by: "gateway" },
  PROCESSLIST: { by: "gateway" },
  "GRANTS FOR": { by: "accounts", privilege: "CREATE USER" },
  "CREATE USER": { by: "gateway" },
  "CREATE USER FOR": { by: "accounts", privilege: "CREATE USER" },
  EVENTS: server("EVENT"),
  "CREATE EVENT": server("EVENT"),
  "CREATE SERVER": server("SUPER"),
  "CREATE PACKAGE": server("CREATE ROUTINE"),
  "PROCEDURE CODE": server("SUPER"),
  "FUNCTION CODE": server("SUPER"),
  "LIBRARY STATUS": server("CREATE ROUTINE"),
  "CREATE LIBRARY": server("CREATE ROUTINE"),
  "CREATE MASKING POLICY": server("SUPER"),
  ENGINE: server("PROCESS"),
  EXPLAIN: server("PROCESS"),
  ANALYZE: server("PROCESS"),
  "MASTER STATUS": server(replication),
  "MASTER LOGS": server(replication),
  "BINARY LOGS": server(replication),
  "BINARY LOG STATUS": server(replication),
  "BINLOG STATUS": server(replication),
  "BINLOG EVENTS": server("REPLICATION SLAVE"),
  "RELAYLOG EVENTS": server("REPLICATION SLAVE"),
  "SLAVE STATUS": server(replication),
  "ALL SLAVES STATUS": server(replication),
  "REPLICA STATUS": server(replication),
  "ALL REPLICAS STATUS": server(replication),
  "SLAVE HOSTS": server("REPLICATION SLAVE"),
  REPLICAS: server("REPLICATION SLAVE"),
  "REPLICA HOSTS": server("REPLICATION SLAVE"),
  CLIENT_STATISTICS: server("PROCESS"),
  USER_STATISTICS: server("PROCESS"),
  TABLE_STATISTICS: server("PROCESS"),
  INDEX_STATISTICS: server("PROCESS"),
} as const satisfies Record<string, ShowRights>;

const bySubject: ReadonlyMap<string, ShowRights> = new Map<string, ShowRights>(Object.entries(subjects));

/** The row of a form of SHOW; undefined: unknown, to be refused. */
export function rightsOfShow(subject: string): ShowRights | undefined {
  return bySubject.get(subject);
}

/** All forms, for the tests of completeness. */
export const knownShowSubjects: readonly string[] = [...bySubject.keys()];

/** How the rows of a statement's answer are to be filtered; null: they all may be seen. */
export function listingOf(statement: StatementSummary): Listing | null {
  if (statement.kind !== "SHOW" || statement.subject === null) return null;
  const rights = bySubject.get(statement.subject);
  return rights?.by === "objects" ? rights.listing : null;
}
