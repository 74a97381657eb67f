// SHOW PROCESSLIST and the tables that hold the same: the gateway's sessions, with the ids that KILL takes. Users see their
// own, exempt principals all. A statement's text is not kept, so Info has its kind
// (https://dev.mysql.com/doc/refman/8.4/en/show-processlist.html).

import type { Flavour } from "../sql/dialect.ts";
import type { ProcessListTable } from "../sql/rewrite.ts";
import type { CommandLoop } from "./command-loop.ts";
import { type OwnColumn, type OwnResult, selectOf } from "./own-result.ts";
import type { SessionView } from "./session-view.ts";
import type { StatementText } from "./statement-text.ts";

const text = (name: string, characters: number): OwnColumn => ({ name, type: "text", characters });
const number = (name: string, characters = 21): OwnColumn => ({ name, type: "number", characters });

const common = [
  number("Id"),
  text("User", 128),
  text("Host", 261),
  text("db", 128),
  text("Command", 16),
  number("Time", 7),
  text("State", 64),
  text("Info", 4096),
] as const;

/** What MariaDB's table has beside the common columns. */
const mariadbTable: readonly OwnColumn[] = [
  number("TIME_MS"),
  number("STAGE"),
  number("MAX_STAGE"),
  number("PROGRESS"),
  number("MEMORY_USED"),
  number("MAX_MEMORY_USED"),
  number("EXAMINED_ROWS"),
  number("QUERY_ID"),
  text("INFO_BINARY", 4096),
  number("TID"),
];

/** Columns of SHOW PROCESSLIST. */
export function processListColumns(flavour: Flavour): readonly OwnColumn[] {
  return flavour === "mariadb" ? [...common, text("Progress", 7)] : common;
}

/** SHOW [FULL] PROCESSLIST; `statement`: the asking one's own text. */
export function processList(loop: CommandLoop, flavour: Flavour, statement: string): OwnResult {
  const rows = visibleSessions(loop).map((view) => {
    const row = commonValues(view, view.id === loop.state.id ? statement : null);
    return flavour === "mariadb" ? [...row, "0.000"] : row;
  });
  return { columns: processListColumns(flavour), rows };
}

/** A query with the rows of one of the tables; `statement` as above. */
export function processListQuery(
  loop: CommandLoop,
  flavour: Flavour,
  table: ProcessListTable,
  statement: string,
): string {
  const columns: OwnColumn[] = common.map((column) => ({ ...column, name: column.name.toUpperCase() }));
  if (table === "performance_schema_processlist") columns.push(text("EXECUTION_ENGINE", 16));
  else if (flavour === "mariadb") columns.push(...mariadbTable);
  const rows = visibleSessions(loop).map((view) => {
    const info = view.id === loop.state.id ? statement : null;
    const row = commonValues(view, info);
    if (table === "performance_schema_processlist") return [...row, "PRIMARY"];
    if (flavour !== "mariadb") return row;
    const timeMs = view.id === loop.state.id ? 0 : Math.floor(view.phaseMs);
    return [...row, timeMs, 0, 0, 0, 0, 0, 0, 0, row.at(-1) ?? null, 0];
  });
  return selectOf({ columns, rows });
}

/** Whether a table of sessions is read: its rows stand in the text that is sent. */
export function readsSessions({ statements }: StatementText): boolean {
  return statements.some((one) => one.identityTokens.some(({ name }) => name.endsWith("processlist")));
}

/** Answers once the sessions of other processes are known, at once where there are none. */
export function withAllSessions<Answer>(
  loop: CommandLoop,
  answer: () => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const { siblings } = loop.services;
  if (siblings === null || loop.state.sessionsElsewhere !== null) return answer();
  return siblings
    .sessions()
    .then((views) => {
      loop.state.sessionsElsewhere = views;
      return answer();
    })
    .finally(() => {
      loop.state.sessionsElsewhere = null;
    });
}

function visibleSessions(loop: CommandLoop): SessionView[] {
  const { registry, clock, authorizer } = loop.services;
  const { identity } = loop.state;
  if (identity === null) return [];
  const seesAll = authorizer().seesAllSessions(identity);
  const views: SessionView[] = [];
  for (const session of registry.all()) {
    const isOwn = session.identity?.loginUser === identity.loginUser;
    if (isOwn || seesAll) views.push(session.view(clock.monotonicMs()));
  }
  const elsewhere = loop.state.sessionsElsewhere ?? [];
  return views.concat(elsewhere.filter(({ user }) => seesAll || user === identity.loginUser));
}

function commonValues(view: SessionView, statement: string | null): (string | number | null)[] {
  const isAsking = statement !== null;
  const host = view.transport === "unix" ? view.host : `${view.host}:${view.port}`;
  return [
    view.id,
    view.user ?? "unauthenticated user",
    host,
    view.database,
    isAsking ? "Query" : commandWord(view),
    isAsking ? 0 : Math.floor(view.phaseMs / 1000),
    view.phase === "login" ? "login" : "",
    statement ?? view.statement,
  ];
}

/** The protocol's commands as servers call them. */
const commandWords: Readonly<Record<string, string>> = {
  QUERY: "Query",
  STMT_PREPARE: "Prepare",
  STMT_EXECUTE: "Execute",
  STMT_FETCH: "Fetch",
  STMT_CLOSE: "Close stmt",
  STMT_RESET: "Reset stmt",
  STMT_SEND_LONG_DATA: "Long Data",
  INIT_DB: "Init DB",
  FIELD_LIST: "Field List",
  CHANGE_USER: "Change user",
  RESET_CONNECTION: "Reset Connection",
  SET_OPTION: "Set option",
  STATISTICS: "Statistics",
  PING: "Ping",
};

function commandWord({ phase, command }: SessionView): string {
  if (phase === "login") return "Connect";
  if (phase === "idle") return "Sleep";
  return commandWords[command ?? ""] ?? "Query";
}
