// Runs in the browser: the JSON of /api, as far as the page reads it (docs/admin.md has all fields), and how numbers
// and times are written for people.

/** `GET /api/status`. */
export interface Status {
  readonly version: string;
  readonly now: string;
  readonly started_at: string;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly notes: readonly string[];
  readonly tablets: readonly {
    readonly alias: string;
    readonly address: string;
    readonly ready: boolean;
    readonly reason: string | null;
    readonly roles: readonly string[];
    readonly version: string | null;
    readonly read_only: boolean | null;
    readonly pool_size: number;
    readonly pools: readonly {
      readonly account: string;
      readonly leased: number;
      readonly idle: number;
      readonly connecting: number;
      readonly waiting: number;
      readonly login_error: string | null;
    }[];
  }[];
  readonly files: readonly {
    readonly name: string;
    readonly path: string;
    readonly generation: number;
    readonly loaded_at: string;
    readonly failed_at: string | null;
    readonly problems: readonly string[];
  }[];
  readonly certificates: readonly {
    readonly use: string;
    readonly path: string;
    readonly subject: string;
    readonly not_after: string;
    readonly warn_after: string;
  }[];
}

/** A point of `GET /api/history`. */
export interface Point {
  readonly at: number;
  readonly commands: number;
  readonly errors: number;
  readonly logins: number;
  readonly refusals: number;
  readonly denials: number;
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly sessions: number;
  readonly leased: number;
  readonly event_loop_busy: number;
}

/** A session of `GET /api/sessions`. */
export interface Session {
  readonly id: number;
  readonly user: string | null;
  readonly user_data: string | null;
  readonly groups: readonly string[];
  readonly entry: string | null;
  readonly host: string;
  readonly port: number;
  readonly transport: string;
  readonly tls: string | null;
  readonly program: string | null;
  readonly database: string | null;
  readonly phase: "login" | "idle" | "busy";
  readonly command: string | null;
  readonly statement: string | null;
  readonly phase_seconds: number;
  readonly age_seconds: number;
  readonly in_transaction: boolean;
  readonly pinned_because: string | null;
  readonly prepared_statements: number;
  readonly tablet: string | null;
}

/** `GET /api/sessions`. */
export interface Sessions {
  readonly total: number;
  readonly matching: number;
  readonly sessions: readonly Session[];
}

/** An entry of `GET /api/users`. */
export interface Entry {
  readonly user: string;
  readonly index: number;
  readonly fingerprint: string;
  readonly user_data: string;
  readonly credential_kinds: readonly string[];
  readonly not_before: string | null;
  readonly not_after: string | null;
  readonly account_locked: boolean;
  readonly counting_since: string;
  readonly last_login: string | null;
  readonly live_sessions: number;
  readonly logins: number;
}

/** `GET /api/denials`. */
export interface Denials {
  readonly denials: readonly Denial[];
}

/** One kind of denial. */
export interface Denial {
  readonly outcome: string;
  readonly statement_kind: string;
  readonly object: string;
  readonly name: string | null;
  readonly role: string | null;
  readonly rule_group: string | null;
  readonly rule_entry: string | null;
  readonly rule_list: string | null;
  readonly rule_principal: string | null;
  readonly error_code: number;
  readonly user: string;
  readonly host: string;
  readonly user_data: string;
  readonly groups: readonly string[];
  readonly count: number;
  readonly last: string;
  readonly explanation: readonly string[];
}

/** `GET /api/users`. */
export interface Users {
  readonly users_generation: number;
  readonly users_file_stale: boolean;
  readonly matching: number;
  readonly entries: readonly Entry[];
}

/** `1.2 k`, `34`, `0.5`. */
export function count(value: number): string {
  if (value >= 1e6) return `${short(value / 1e6)} M`;
  if (value >= 1e4) return `${short(value / 1e3)} k`;
  return short(value);
}

function short(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(2);
}

/** `1.5 MB`. */
export function bytes(value: number): string {
  if (value >= 1e9) return `${short(value / 1e9)} GB`;
  if (value >= 1e6) return `${short(value / 1e6)} MB`;
  if (value >= 1e3) return `${short(value / 1e3)} kB`;
  return `${short(value)} B`;
}

/** `3 s`, `2 min`, `5 h`, `4 d`. */
export function span(seconds: number): string {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** `5 min ago`, seen from `nowMs`. */
export function ago(time: string, nowMs: number): string {
  return `${span(Math.max(0, (nowMs - Date.parse(time)) / 1000))} ago`;
}

/** Date and time to the second, UTC: what logs say. */
export function stamp(time: string): string {
  return `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;
}
