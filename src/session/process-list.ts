// SHOW PROCESSLIST and the tables that hold the same: the gateway's sessions, with the ids that KILL takes. Users see their
// own, exempt principals all. A statement's text is not kept: Info has what its server says, or else its kind
// (https://dev.mysql.com/doc/refman/8.4/en/show-processlist.html).

import type { Flavour } from "../sql/dialect.ts";
import type { IdentityName } from "../sql/statement-summary.ts";
import type { CommandLoop } from "./command-loop.ts";
import { seenSessions, type ToldStatement } from "./other-sessions.ts";
import type { OwnColumn, OwnResult } from "./own-result.ts";
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

/** Columns of SHOW PROCESSLIST. */
export function processListColumns(flavour: Flavour): readonly OwnColumn[] {
  return flavour === "mariadb" ? [...common, text("Progress", 7)] : common;
}

/** Without FULL, so many characters of a statement are shown. */
const shownCharactersMax = 100;

/** SHOW [FULL] PROCESSLIST; `statement`: the asking one's own text. */
export function processList(
  loop: CommandLoop,
  flavour: Flavour,
  isFull: boolean,
  statement: string,
): OwnResult {
  const own = { state: flavour === "mariadb" ? "starting" : "init", text: statement };
  const rows = visibleSessions(loop).map((seen) => {
    const row = commonValues(seen, seen.view.id === loop.state.id ? own : null);
    const info = row.pop() ?? null;
    row.push(typeof info === "string" && !isFull ? cutTo(info, shownCharactersMax) : info);
    return flavour === "mariadb" ? [...row, "0.000"] : row;
  });
  return { columns: processListColumns(flavour), rows };
}

const tables: ReadonlySet<IdentityName> = new Set<IdentityName>([
  "processlist",
  "performance_schema_processlist",
  "threads",
  "sys_processlist",
  "sys_x_processlist",
  "sys_session",
  "sys_x_session",
]);

/** Whether a table of sessions is read: its rows stand in the text that is sent. */
export function readsSessions({ statements }: StatementText): boolean {
  return statements.some(({ identityTokens }) => identityTokens.some(({ name }) => tables.has(name)));
}

/** A session, and what its server says of its statement; null: nothing. */
export interface SeenSession {
  readonly view: SessionView;
  readonly told: ToldStatement | null;
}

/** The sessions that this one may see. */
export function visibleSessions(loop: CommandLoop): SeenSession[] {
  const { clock, authorizer } = loop.services;
  const { identity, otherSessions } = loop.state;
  if (identity === null) return [];
  const nowMs = clock.monotonicMs();
  const seen: SeenSession[] = [];
  for (const session of seenSessions(loop))
    seen.push({ view: session.view(nowMs), told: otherSessions?.told.get(session.id) ?? null });
  const seesAll = authorizer().seesAllSessions(identity);
  for (const view of otherSessions?.elsewhere ?? [])
    if (seesAll || view.user === identity.loginUser) seen.push({ view, told: null });
  return seen;
}

/** What SHOW PROCESSLIST says of one; `own`: what is told of the asking session. */
export function commonValues(
  { view, told }: SeenSession,
  own: ToldStatement | null,
): (string | number | null)[] {
  const isAsking = own !== null;
  const host = view.transport === "unix" ? view.host : `${view.host}:${view.port}`;
  return [
    view.id,
    view.user ?? "unauthenticated user",
    host,
    view.database,
    isAsking ? "Query" : commandWord(view),
    isAsking ? 0 : Math.floor(view.phaseMs / 1000),
    own?.state ?? told?.state ?? (view.phase === "login" ? "login" : ""),
    (own ?? told)?.text ?? view.statement,
  ];
}

/** The first characters, none of them cut in halves. */
function cutTo(text: string, characters: number): string {
  return text.length <= characters ? text : Array.from(text).slice(0, characters).join("");
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
