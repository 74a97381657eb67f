// The JSON of /api: from snapshots to objects with stable names, each with its documentation beside it.

import type {
  AdminSources,
  CertificateRow,
  DenialRow,
  EntryActivity,
  FileRow,
  SessionRow,
  TabletRow,
  UserActivitySnapshot,
} from "./admin-sources.ts";
import { historyIntervalMs, type TrafficPoint } from "./traffic-history.ts";

/** Sessions in one answer: more would make the answer slow and nobody reads them. */
const sessionsMax = 1000;

/** `GET /api/status`. */
export const statusJson = {
  fields: {
    version: "The gateway's version",
    node_version: "Node.js' version",
    now: "The gateway's clock",
    started_at: "When the gateway was made",
    ready: "Whether clients should be sent here",
    reasons: "Why not, one sentence each",
    notes: "What an operator should know all the same",
    "tablets[].alias": "The database server's name",
    "tablets[].address": "Its address, or the path of its socket",
    "tablets[].ready": "Whether it answered when last asked",
    "tablets[].reason": "Why it cannot be used; null: it can",
    "tablets[].roles":
      "What it is to keyspaces now, e.g. `shop: primary`; empty: there are none, or it serves none",
    "tablets[].version": "Its version; null: never reached",
    "tablets[].read_only": "Whether it takes no writes; null: never reached",
    "tablets[].pool_size": "Most connections of one account",
    "tablets[].pools[].account": "Name of the service account in the configuration",
    "tablets[].pools[].leased": "Connections in the hands of sessions",
    "tablets[].pools[].idle": "Connections that wait for work",
    "tablets[].pools[].connecting": "Logins under way",
    "tablets[].pools[].waiting": "Sessions that wait for a connection",
    "tablets[].pools[].login_error": "Why logins pause; null: they do not",
    "files[].name": "What the file is",
    "files[].path": "Where it is",
    "files[].generation": "1 at start, one more with every reload",
    "files[].loaded_at": "When the content in use was loaded",
    "files[].failed_at": "When a newer content could not be loaded; null: what is on disk is in use",
    "files[].problems": "What is wrong with that content, each with its place",
    "certificates[].use": "What it is for",
    "certificates[].path": "The file, or the database server that showed it at the newest connection",
    "certificates[].subject":
      "Whom it names; of a revocation list, the CA. Of several in one file, the first to end",
    "certificates[].not_after": "End of its validity",
    "certificates[].warn_after":
      "From when on its end is worth a warning: 30 days before, or a quarter of its life",
  },
  make: (sources: AdminSources, version: string) => {
    const { ready, reasons, notes } = sources.readiness();
    return {
      version,
      node_version: process.versions.node,
      now: isoTime(sources.nowMs()),
      started_at: isoTime(sources.startedMs),
      ready,
      reasons,
      notes,
      tablets: sources.tablets().map(tabletJson),
      files: sources.files().map(fileJson),
      certificates: sources.certificates().map(certificateJson),
    };
  },
} as const;

function tabletJson(tablet: TabletRow) {
  const { alias, address, ready, reason, version } = tablet;
  const pools = tablet.pools.map(({ loginError, ...pool }) => ({ ...pool, login_error: loginError }));
  const facts = { alias, address, ready, reason, roles: tablet.roles, version };
  return { ...facts, read_only: tablet.readOnly, pool_size: tablet.poolSize, pools };
}

function fileJson({ name, path, generation, loadedAtMs, failure }: FileRow) {
  return {
    name,
    path,
    generation,
    loaded_at: isoTime(loadedAtMs),
    failed_at: failure === null ? null : isoTime(failure.atMs),
    problems: failure?.problems ?? [],
  };
}

function certificateJson({ use, path, subject, notAfterMs, warnMs }: CertificateRow) {
  return { use, path, subject, not_after: isoTime(notAfterMs), warn_after: isoTime(warnMs) };
}

/** `GET /api/history`. */
export const historyJson = {
  fields: {
    interval_seconds: "Time between two points",
    "points[].at": "End of the interval, in milliseconds since the epoch",
    "points[].commands": "Commands of clients per second",
    "points[].errors": "Errors sent per second, the gateway's own and relayed ones",
    "points[].logins": "Logins accepted per second",
    "points[].refusals": "Logins refused per second",
    "points[].denials": "Statements per second that the table ACL denied, or would have in a dry run",
    "points[].bytes_received": "Bytes of commands per second",
    "points[].bytes_sent": "Bytes of replies per second",
    "points[].p50_ms": "Median time of a command, in milliseconds; null: there was none",
    "points[].p99_ms": "99 of 100 commands took at most this, in milliseconds; null: there was none",
    "points[].sessions": "Sessions logged in at the end of the interval",
    "points[].leased": "Backend connections in use at the end of the interval",
    "points[].waiting": "Sessions that waited for a backend connection at the end of the interval",
    "points[].memory_bytes": "Resident memory of the process",
    "points[].event_loop_busy": "Share of the time in which the event loop was busy, 0 to 1",
    "points[].event_loop_delay_ms": "Longest delay of the event loop, in milliseconds",
  },
  make: (sources: AdminSources, afterMs: number) => ({
    interval_seconds: historyIntervalMs / 1000,
    points: sources.history.after(afterMs).map(pointJson),
  }),
} as const;

function pointJson(point: TrafficPoint) {
  return {
    at: point.atMs,
    commands: rounded(point.commandsPerSecond),
    errors: rounded(point.errorsPerSecond),
    logins: rounded(point.loginsPerSecond),
    refusals: rounded(point.refusalsPerSecond),
    denials: rounded(point.denialsPerSecond),
    bytes_received: Math.round(point.bytesReceivedPerSecond),
    bytes_sent: Math.round(point.bytesSentPerSecond),
    p50_ms: point.p50Ms === null ? null : rounded(point.p50Ms),
    p99_ms: point.p99Ms === null ? null : rounded(point.p99Ms),
    sessions: point.sessions,
    leased: point.leased,
    waiting: point.waiting,
    memory_bytes: point.memoryBytes,
    event_loop_busy: rounded(point.eventLoopBusy),
    event_loop_delay_ms: rounded(point.eventLoopDelayMs),
  };
}

/** `GET /api/sessions`. */
export const sessionsJson = {
  fields: {
    total: "Live sessions, logged in or not",
    matching: "Those that the filter keeps; `sessions` holds the first of them",
    "sessions[].id": "The gateway's id, as CONNECTION_ID() tells it",
    "sessions[].user": "Login name; null: the login is under way",
    "sessions[].user_data": "The name that ACL and routing decide by",
    "sessions[].groups": "Further principals for the ACL",
    "sessions[].entry": "The entry of the users file that accepted the login, as `user[index]`",
    "sessions[].host": "Where the client comes from: an IP address, or `localhost` for the unix socket",
    "sessions[].port": "The client's port; 0 for the unix socket",
    "sessions[].transport": "`tcp` or `unix`",
    "sessions[].tls": "`TLSv1.2`, `TLSv1.3`, or null",
    "sessions[].plugin": "The authentication plugin that decided",
    "sessions[].program": "What the client says that it is (connection attributes)",
    "sessions[].database": "Default schema; null: none",
    "sessions[].phase": "`login`, `idle` (between two commands) or `busy`",
    "sessions[].command":
      "The protocol command under way; null: none, or one that the gateway answers itself",
    "sessions[].statement": "What kind of statement it is, never its text; null: not known",
    "sessions[].phase_seconds": "How long it has been in this phase",
    "sessions[].age_seconds": "Time since its connection was accepted",
    "sessions[].in_transaction": "Whether a transaction is open",
    "sessions[].pinned_because": "Why it keeps its backend connection between commands; null: it need not",
    "sessions[].prepared_statements": "Prepared statements that it has open",
    "sessions[].tablet": "The database server that it holds a connection of; null: none now",
  },
  make: (sources: AdminSources, user: string | null, limit: number) => {
    const all = sources.sessions();
    const matching = user === null ? [...all] : all.filter((session) => session.user === user);
    matching.sort((a, b) => rank[a.phase] - rank[b.phase] || b.phaseMs - a.phaseMs);
    const count = Math.min(Math.max(1, Math.trunc(limit)), sessionsMax);
    return {
      total: all.length,
      matching: matching.length,
      sessions: matching.slice(0, count).map(sessionJson),
    };
  },
} as const;

const rank = { busy: 0, idle: 1, login: 2 } as const;

function sessionJson(session: SessionRow) {
  const { id, user, userData, groups, entry, host, port, transport, tls, plugin, program } = session;
  const { database, phase, command, statement, tablet } = session;
  return {
    ...{ id, user, user_data: userData, groups, entry, host, port, transport, tls, plugin, program },
    ...{ database, phase, command, statement },
    phase_seconds: rounded(session.phaseMs / 1000),
    age_seconds: rounded(session.ageMs / 1000),
    in_transaction: session.inTransaction,
    pinned_because: session.pinnedBecause,
    prepared_statements: session.preparedStatements,
    tablet,
  };
}

/** `GET /api/denials`. */
export const denialsJson = {
  fields: {
    "denials[].outcome": "`denied`, or `dry_run`: it ran all the same",
    "denials[].statement_kind": "The head of the statement, never its text",
    "denials[].object": "What was wanted, as in the audit log's event `denial`",
    "denials[].name": "Its name, e.g. `shop.orders`; null: it has none",
    "denials[].role": "`reader`, `writer`, `admin` or `executor`; null: no role is about it",
    "denials[].rule_group": "The group that decided; null: no entry names the object",
    "denials[].rule_entry": "The entry of that group",
    "denials[].rule_list": "The deny list that decided; null: no list names a principal of the login",
    "denials[].rule_principal": "The principal in that list",
    "denials[].error_code": "The MySQL error of the denial",
    "denials[].user": "Login name that met it last",
    "denials[].host": "Where that client came from",
    "denials[].user_data": "The name that the ACL decided by",
    "denials[].groups": "Further principals",
    "denials[].count": "How often it happened while it was remembered",
    "denials[].last": "When it happened last",
    "denials[].explanation": "Sentences: what decided, whom the lists name, what would have to change",
  },
  make: (denials: readonly DenialRow[]) => ({ denials: denials.map(denialJson) }),
} as const;

function denialJson(denial: DenialRow) {
  const { outcome, object, name, role, user, host, groups, count, explanation } = denial;
  return {
    outcome,
    statement_kind: denial.statementKind,
    ...{ object, name, role },
    rule_group: denial.ruleGroup,
    rule_entry: denial.ruleEntry,
    rule_list: denial.ruleList,
    rule_principal: denial.rulePrincipal,
    error_code: denial.errorCode,
    ...{ user, host },
    user_data: denial.userData,
    ...{ groups, count },
    last: isoTime(denial.lastMs),
    explanation,
  };
}

/** `GET /api/users`. */
export const usersJson = {
  fields: {
    version: "The gateway's version",
    counting_since: "Start of this gateway",
    users_generation: "Generation of the users file in use",
    users_file_stale: "Whether the file on disk is bad and an older content is in use",
    total: "Entries of the users file",
    matching: "Those that `user` and `holding` keep; `entries` holds a part of them",
    proven:
      "Whether `digest` is that of all entries of `user`, or of all users where none is named, under `key` (SHA-256 over their fingerprints under that key): whether the asker has the same file; null: not asked",
    "entries[].user": "Login name",
    "entries[].index": "Position in the user's list, from 0",
    "entries[].fingerprint":
      "Names the entry over reloads that leave it unchanged; tells nothing about its secrets",
    "entries[].user_data": "The name that ACL and routing see",
    "entries[].credential_kinds": "Which forms its password has",
    "entries[].not_before": "The entry is accepted from then on; null: always was",
    "entries[].not_after": "The entry is accepted until then; null: for ever",
    "entries[].account_locked": "Whether it cannot log in itself (AccountLocked)",
    "entries[].counting_since": "Since when this entry is counted: a reload that changes it begins anew",
    "entries[].last_login": "Last login since then; null: none",
    "entries[].live_sessions": "Sessions that it holds now",
    "entries[].logins": "Logins since `counting_since`, by itself and as the base of a mapped proxy user",
  },
  make: (activity: UserActivitySnapshot, version: string) => ({
    version,
    counting_since: isoTime(activity.countingSinceMs),
    users_generation: activity.generation,
    users_file_stale: activity.stale,
    total: activity.total,
    matching: activity.matching,
    proven: activity.proven,
    entries: activity.entries.map(entryJson),
  }),
} as const;

function entryJson(entry: EntryActivity) {
  return {
    user: entry.user,
    index: entry.index,
    fingerprint: entry.fingerprint,
    user_data: entry.userData,
    credential_kinds: entry.credentialKinds,
    not_before: entry.notBeforeMs === null ? null : isoTime(entry.notBeforeMs),
    not_after: entry.notAfterMs === null ? null : isoTime(entry.notAfterMs),
    account_locked: entry.accountLocked,
    counting_since: isoTime(entry.countingSinceMs),
    last_login: entry.lastLoginMs === null ? null : isoTime(entry.lastLoginMs),
    live_sessions: entry.liveSessions,
    logins: entry.logins,
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Three digits behind the point are enough for people and graphs. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
