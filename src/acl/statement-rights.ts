// THE table of statement kinds: which rights a statement of a kind needs, and the command word with which MySQL denies
// it. A kind that does not stand here is refused (https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html,
// https://mariadb.com/docs/server/reference/sql-statements). Kinds are those of sql/analyze.

import type { Role } from "./role.ts";

/** The lists of a summary that hold tables, in the order in which they are judged. */
export type TableList = "changes" | "writes" | "reads";

/** Judged by the tables, routines and schemas that the statement names. */
export interface ObjectRights {
  readonly by: "objects";
  /** At least one of these lists must not be empty: otherwise the analysis missed something. */
  readonly needs: readonly (TableList | "routines" | "routineChanges" | "schemas")[];
  /** Roles that a table of a list needs, where they differ from reader / writer / admin. */
  readonly roles: Readonly<Partial<Record<TableList, readonly Role[]>>>;
  /** Command words of error 1142, where they differ from SELECT / INSERT / ALTER. */
  readonly words: Readonly<Partial<Record<Role, string>>>;
}

/** What a kind of statement needs. */
export type KindRights =
  | ObjectRights
  /** The statements that it carries decide; without one it is refused. */
  | { readonly by: "carried" }
  /** `subject` decides: see show-rights. */
  | { readonly by: "show" }
  /** For exempt principals only: 1227 with this privilege. */
  | { readonly by: "server"; readonly privilege: string }
  /** Accounts are kept in the users file: 1227 with this privilege and a sentence. */
  | { readonly by: "accounts"; readonly privilege: string };

type Needs = ObjectRights["needs"];
type Words = ObjectRights["words"];

function objects(needs: Needs = [], words: Words = {}, roles: ObjectRights["roles"] = {}): ObjectRights {
  return { by: "objects", needs, words, roles };
}

const open = objects();
const ownTable = (word: string): ObjectRights => objects(["changes"], { admin: word });
const server = (privilege: string): KindRights => ({ by: "server", privilege });
const accounts = (privilege: string): KindRights => ({ by: "accounts", privilege });
const carried: KindRights = { by: "carried" };

/**
 * Every role at once: servers want SELECT and INSERT for them and change the stored table.
 * TRUNCATE and these may come with the table as written or as changed; both mean the same.
 */
const maintenance = objects(
  ["changes", "writes"],
  { reader: "SELECT", writer: "INSERT", admin: "ALTER" },
  { writes: ["admin", "writer", "reader"], changes: ["admin", "writer", "reader"] },
);
const view = objects(["changes"], { admin: "CREATE VIEW" });
const routine = objects(["routineChanges"]);

const kinds = {
  EMPTY: open,
  // Reading
  SELECT: open,
  TABLE: objects(["reads"]),
  VALUES: open,
  DO: open,
  HELP: open,
  DESCRIBE: objects(["reads"]),
  "FIELD LIST": objects(["reads"]),
  HANDLER: open,
  "CHECK TABLE": objects(["reads"], { reader: "SELECT" }),
  "CHECK VIEW": objects(["reads"], { reader: "SELECT" }),
  "CHECKSUM TABLE": objects(["reads"]),
  EXPLAIN: carried,
  ANALYZE: carried,
  SHOW: { by: "show" },
  // Writing
  INSERT: objects(["writes"]),
  REPLACE: objects(["writes"]),
  UPDATE: objects(["writes"], { writer: "UPDATE" }),
  DELETE: objects(["writes"], { writer: "DELETE" }),
  "DELETE HISTORY": objects(
    ["writes"],
    { writer: "DELETE", admin: "DELETE HISTORY" },
    { writes: ["admin", "writer"] },
  ),
  "LOAD DATA": objects(["writes"]),
  "LOAD XML": objects(["writes"]),
  "ANALYZE TABLE": objects(["writes"], {}, { writes: ["writer", "reader"] }),
  "LOCK TABLES": objects(
    ["reads", "writes"],
    { reader: "LOCK TABLES", writer: "LOCK TABLES" },
    { writes: ["writer", "reader"] },
  ),
  // Defining tables
  "CREATE TABLE": ownTable("CREATE"),
  "CREATE SEQUENCE": ownTable("CREATE"),
  "ALTER TABLE": ownTable("ALTER"),
  "ALTER SEQUENCE": ownTable("ALTER"),
  "RENAME TABLE": ownTable("ALTER"),
  "DROP TABLE": ownTable("DROP"),
  "DROP SEQUENCE": ownTable("DROP"),
  "CREATE INDEX": ownTable("INDEX"),
  "DROP INDEX": ownTable("INDEX"),
  "CREATE TRIGGER": ownTable("TRIGGER"),
  "DROP TRIGGER": objects(["changes", "schemas"], { admin: "TRIGGER" }),
  "CREATE VIEW": view,
  "ALTER VIEW": view,
  "DROP VIEW": ownTable("DROP"),
  TRUNCATE: objects(["changes", "writes"], { admin: "DROP" }, { writes: ["admin"] }),
  "OPTIMIZE TABLE": maintenance,
  "OPTIMIZE LOCAL TABLE": server("OPTIMIZE_LOCAL_TABLE"),
  "REPAIR TABLE": maintenance,
  "REPAIR VIEW": maintenance,
  "CREATE DATABASE": objects(["schemas"]),
  "ALTER DATABASE": objects(["schemas"]),
  "DROP DATABASE": objects(["schemas"]),
  // Routines
  CALL: objects(["routines"]),
  "CREATE PROCEDURE": routine,
  "CREATE FUNCTION": routine,
  "ALTER PROCEDURE": routine,
  "ALTER FUNCTION": routine,
  "DROP PROCEDURE": routine,
  "DROP FUNCTION": routine,
  // Statements that carry others
  PREPARE: carried,
  "EXECUTE IMMEDIATE": carried,
  "SET STATEMENT": carried,
  COMPOUND: open,
  // Judged when it was prepared, and again by the session when the ACL has changed since.
  EXECUTE: open,
  DEALLOCATE: open,
  // The session itself
  SET: open,
  "SET NAMES": open,
  "SET CHARACTER SET": open,
  "SET TRANSACTION": open,
  USE: open,
  BEGIN: open,
  COMMIT: open,
  ROLLBACK: open,
  SAVEPOINT: open,
  RELEASE: open,
  UNLOCK: open,
  "UNLOCK TABLES": open,
  SIGNAL: open,
  RESIGNAL: open,
  "GET DIAGNOSTICS": open,
  // Commands without text, by their names in the protocol
  "RESET CONNECTION": open,
  PING: open,
  "SET OPTION": open,
  STATISTICS: open,
  DEBUG: server("SUPER"),
  // As on any server: whoever knows the name of a transaction may end it; XA RECOVER tells the names.
  XA: open,
  "XA START": open,
  "XA BEGIN": open,
  "XA END": open,
  "XA PREPARE": open,
  "XA COMMIT": open,
  "XA ROLLBACK": open,
  // The session ends its own user's sessions only.
  KILL: open,
  // Accounts
  GRANT: accounts("GRANT OPTION"),
  REVOKE: accounts("GRANT OPTION"),
  "CREATE USER": accounts("CREATE USER"),
  "ALTER USER": accounts("CREATE USER"),
  "DROP USER": accounts("CREATE USER"),
  "RENAME USER": accounts("CREATE USER"),
  "CREATE ROLE": accounts("CREATE ROLE"),
  "DROP ROLE": accounts("DROP ROLE"),
  "SET PASSWORD": accounts("CREATE USER"),
  "SET ROLE": accounts("ROLE_ADMIN"),
  "SET DEFAULT ROLE": accounts("ROLE_ADMIN"),
  // The server: every definer would be the service account, and what is not listed here is refused as unknown
  "CREATE EVENT": server("EVENT"),
  "ALTER EVENT": server("EVENT"),
  "DROP EVENT": server("EVENT"),
  "CREATE PACKAGE": server("CREATE ROUTINE"),
  "DROP PACKAGE": server("ALTER ROUTINE"),
  "CREATE MASKING POLICY": server("SUPER"),
  "ALTER MASKING POLICY": server("SUPER"),
  "DROP MASKING POLICY": server("SUPER"),
  "CREATE LIBRARY": server("CREATE ROUTINE"),
  "ALTER LIBRARY": server("ALTER ROUTINE"),
  "DROP LIBRARY": server("ALTER ROUTINE"),
  "CREATE SERVER": server("SUPER"),
  "ALTER SERVER": server("SUPER"),
  "DROP SERVER": server("SUPER"),
  "XA RECOVER": server("XA_RECOVER_ADMIN"),
  FLUSH: server("RELOAD"),
  RESET: server("RELOAD"),
  "CACHE INDEX": server("INDEX"),
  "LOAD INDEX": server("INDEX"),
  SHUTDOWN: server("SHUTDOWN"),
  RESTART: server("SHUTDOWN"),
  PURGE: server("SUPER"),
  BINLOG: server("SUPER"),
  CHANGE: server("SUPER"),
  START: server("SUPER"),
  STOP: server("SUPER"),
  CLONE: server("BACKUP_ADMIN"),
  BACKUP: server("RELOAD"),
  "LOCK INSTANCE": server("BACKUP_ADMIN"),
  "UNLOCK INSTANCE": server("BACKUP_ADMIN"),
  INSTALL: server("INSERT"),
  "INSTALL PLUGIN": server("INSERT"),
  "INSTALL COMPONENT": server("INSERT"),
  UNINSTALL: server("DELETE"),
  "UNINSTALL PLUGIN": server("DELETE"),
  "UNINSTALL COMPONENT": server("DELETE"),
  IMPORT: server("FILE"),
  "ALTER INSTANCE": server("SUPER"),
  "CREATE TABLESPACE": server("CREATE TABLESPACE"),
  "ALTER TABLESPACE": server("CREATE TABLESPACE"),
  "DROP TABLESPACE": server("CREATE TABLESPACE"),
  "CREATE LOGFILE GROUP": server("CREATE TABLESPACE"),
  "ALTER LOGFILE GROUP": server("CREATE TABLESPACE"),
  "DROP LOGFILE GROUP": server("CREATE TABLESPACE"),
  "CREATE RESOURCE GROUP": server("RESOURCE_GROUP_ADMIN"),
  "ALTER RESOURCE GROUP": server("RESOURCE_GROUP_ADMIN"),
  "DROP RESOURCE GROUP": server("RESOURCE_GROUP_ADMIN"),
  "SET RESOURCE GROUP": server("RESOURCE_GROUP_ADMIN"),
  "CREATE SPATIAL REFERENCE SYSTEM": server("SUPER"),
  "DROP SPATIAL REFERENCE SYSTEM": server("SUPER"),
} as const satisfies Record<string, KindRights>;

const byKind: ReadonlyMap<string, KindRights> = new Map<string, KindRights>(Object.entries(kinds));

/** The row of a kind; undefined: unknown, to be refused. */
export function rightsOfKind(kind: string): KindRights | undefined {
  return byKind.get(kind);
}

/** All kinds, for the tests of completeness. */
export const knownStatementKinds: readonly string[] = [...byKind.keys()];

const defaultRoles: Readonly<Record<TableList, readonly Role[]>> = {
  reads: ["reader"],
  writes: ["writer"],
  changes: ["admin"],
};

/** The roles that a table needs for standing in `list`. */
export function rolesFor(rights: ObjectRights, list: TableList): readonly Role[] {
  return rights.roles[list] ?? defaultRoles[list];
}

const defaultWords: Readonly<Record<Role, string>> = {
  reader: "SELECT",
  writer: "INSERT",
  admin: "ALTER",
  executor: "execute",
};

/** The command word with which a role is denied. */
export function commandWord(rights: ObjectRights, role: Role): string {
  return rights.words[role] ?? defaultWords[role];
}
