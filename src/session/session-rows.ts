// The gateway's sessions as rows of a server's own tables: information_schema.processlist, performance_schema.threads, the
// views of sys. What only a server knows is NULL
// (https://dev.mysql.com/doc/refman/8.4/en/performance-schema-threads-table.html, .../sys-processlist.html).

import type { Flavour } from "../sql/dialect.ts";
import type { ServerTable } from "../sql/statement-summary.ts";
import type { CommandLoop } from "./command-loop.ts";
import { type OwnColumn, selectOf } from "./own-result.ts";
import { commonValues, processListColumns, visibleSessions } from "./process-list.ts";
import type { SessionView } from "./session-view.ts";

/** Those with a row for each session. */
export type SessionTable = Exclude<
  ServerTable,
  "session_variables" | "global_variables" | "system_variables"
>;

type Value = string | number | null;

/** One session: its view, and what SHOW PROCESSLIST says of it. */
interface Row {
  readonly view: SessionView;
  readonly common: readonly Value[];
  /** Whether it is the asking one. */
  readonly isAsking: boolean;
}

interface Column extends OwnColumn {
  readonly value: (row: Row) => Value;
}

type ValueOf = Value | ((row: Row) => Value);

function column(name: string, type: OwnColumn["type"], characters: number, value: ValueOf): Column {
  return { name, type, characters, value: typeof value === "function" ? value : () => value };
}

const text = (name: string, characters: number, value: ValueOf = null): Column =>
  column(name, "text", characters, value);
const number = (name: string, value: ValueOf = null): Column => column(name, "number", 21, value);

/** The places of SHOW PROCESSLIST's columns. */
const at = { id: 0, user: 1, host: 2, schema: 3, command: 4, time: 5, state: 6, info: 7 } as const;
const common =
  (place: keyof typeof at) =>
  ({ common: values }: Row): Value =>
    values[at[place]] ?? null;
const id = common("id");
/** A server says NULL where nothing goes on. */
const state = ({ common: values }: Row): Value => values[at.state] || null;

const commonTable = processListColumns("mysql").map((one, place) =>
  column(one.name.toUpperCase(), one.type, one.characters, ({ common: values }) => values[place] ?? null),
);

const mariadbList: readonly Column[] = [
  number("TIME_MS", ({ isAsking, view }) => (isAsking ? 0 : Math.floor(view.phaseMs))),
  ...["STAGE", "MAX_STAGE", "PROGRESS", "MEMORY_USED", "MAX_MEMORY_USED", "EXAMINED_ROWS", "QUERY_ID"].map(
    (name) => number(name, 0),
  ),
  text("INFO_BINARY", 4096, common("info")),
  number("TID", 0),
];

const threadColumns: readonly Column[] = [
  number("THREAD_ID", id),
  text("NAME", 128, "thread/sql/one_connection"),
  text("TYPE", 10, "FOREGROUND"),
  number("PROCESSLIST_ID", id),
  text("PROCESSLIST_USER", 128, common("user")),
  text("PROCESSLIST_HOST", 255, ({ view }) => view.host),
  text("PROCESSLIST_DB", 64, common("schema")),
  text("PROCESSLIST_COMMAND", 16, common("command")),
  number("PROCESSLIST_TIME", common("time")),
  text("PROCESSLIST_STATE", 64, state),
  text("PROCESSLIST_INFO", 4096, common("info")),
  number("PARENT_THREAD_ID"),
  text("ROLE", 64),
  text("INSTRUMENTED", 3, "YES"),
  text("HISTORY", 3, "YES"),
  text("CONNECTION_TYPE", 16, ({ view }) => {
    if (view.transport === "unix") return "Socket";
    return view.tls === null ? "TCP/IP" : "SSL/TLS";
  }),
  number("THREAD_OS_ID"),
];

const mysqlThreadColumns: readonly Column[] = [
  text("RESOURCE_GROUP", 64),
  text("EXECUTION_ENGINE", 9, "PRIMARY"),
  ...["CONTROLLED_MEMORY", "MAX_CONTROLLED_MEMORY", "TOTAL_MEMORY", "MAX_TOTAL_MEMORY"].map((name) =>
    number(name, 0),
  ),
  text("TELEMETRY_ACTIVE", 3, "NO"),
];

/** `exact`: the x$ view has numbers where the other has texts for people. */
function sysColumns(flavour: Flavour, exact: boolean): readonly Column[] {
  const amount = (name: string): Column => (exact ? number(name) : text(name, 13));
  const mysql = (...columns: Column[]): Column[] => (flavour === "mysql" ? columns : []);
  return [
    number("thd_id", id),
    number("conn_id", id),
    text("user", 288, ({ view, common: values }) => `${values[at.user]}@${view.host}`),
    text("db", 64, common("schema")),
    text("command", 16, common("command")),
    text("state", 64, state),
    number("time", common("time")),
    text("current_statement", 4096, common("info")),
    ...mysql(text("execution_engine", 9, "PRIMARY")),
    amount("statement_latency"),
    number("progress"),
    amount("lock_latency"),
    ...mysql(amount("cpu_latency")),
    ...["rows_examined", "rows_sent", "rows_affected", "tmp_tables", "tmp_disk_tables"].map((name) =>
      number(name),
    ),
    text("full_scan", 3, "NO"),
    text("last_statement", 4096),
    amount("last_statement_latency"),
    amount("current_memory"),
    text("last_wait", 128),
    amount("last_wait_latency"),
    text("source", 64),
    amount("trx_latency"),
    text("trx_state", 11, ({ view }) => (view.inTransaction ? "ACTIVE" : null)),
    text("trx_autocommit", 3),
    text("pid", 1024),
    text("program_name", 1024, ({ view }) => view.program),
  ];
}

function columnsOf(table: SessionTable, flavour: Flavour): readonly Column[] {
  switch (table) {
    case "processlist":
      return flavour === "mariadb" ? [...commonTable, ...mariadbList] : commonTable;
    case "performance_schema_processlist":
      return [...commonTable, text("EXECUTION_ENGINE", 16, "PRIMARY")];
    case "threads":
      return flavour === "mariadb" ? threadColumns : [...threadColumns, ...mysqlThreadColumns];
    case "sys_processlist":
    case "sys_session":
      return sysColumns(flavour, false);
    case "sys_x_processlist":
    case "sys_x_session":
      return sysColumns(flavour, true);
  }
}

/** A query with the rows of one of the tables; `statement`: the asking one's own text. */
export function sessionRows(
  loop: CommandLoop,
  flavour: Flavour,
  table: SessionTable,
  statement: string,
): string {
  const columns = columnsOf(table, flavour);
  const own = { state: flavour === "mariadb" ? "Filling schema table" : "executing", text: statement };
  const rows = visibleSessions(loop).map((seen) => {
    const { view } = seen;
    const isAsking = view.id === loop.state.id;
    const row: Row = { view, isAsking, common: commonValues(seen, isAsking ? own : null) };
    return columns.map(({ value }) => value(row));
  });
  return selectOf({ columns, rows });
}
