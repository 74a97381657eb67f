// What a pool is made of: its limits, and what it reports. Data and one interface; no behaviour.

import type { BackendAccount, Tablet } from "../routing/route.ts";
import type { Capabilities } from "../wire/capabilities.ts";
import type { ServerFacts } from "./backend-connection.ts";
import type { BackendLoginRequest, LoggedIn } from "./backend-login.ts";
import type { KillQuery } from "./kill-query.ts";
import type { SessionNamesCache } from "./session-names.ts";

/** Limits of one account on one server. Times in milliseconds. */
export interface PoolLimits {
  /** Connections in use, idle and being made, together. */
  readonly connectionsMax: number;
  /** Longest wait for a connection; beyond: 1203. */
  readonly waitTimeoutMs: number;
  /** An idle connection is closed after this time; 0: never. */
  readonly idleTimeoutMs: number;
  /** A connection older than this, or than a bit less, serves no further session; 0: never. */
  readonly lifetimeMs: number;
  /** Connections kept ready while nobody asks for them; 0: none. */
  readonly minIdle: number;
  /** From connect to logged in. */
  readonly loginTimeoutMs: number;
  /** For each conversation of our own with a server: reset, schema, kill. */
  readonly housekeepingTimeoutMs: number;
  /** Sessions that may wait at a time; beyond: 1203 at once. */
  readonly waitersMax: number;
}

/** Limits that no flag sets. */
export const defaultPoolLimits = {
  lifetimeMs: 3_600_000,
  minIdle: 0,
  loginTimeoutMs: 10_000,
  housekeepingTimeoutMs: 10_000,
  waitersMax: 10_000,
} as const satisfies Partial<PoolLimits>;

/** Is told what a pool does. Called synchronously; must not throw. */
export interface PoolObserver {
  loginFinished(tablet: string, outcome: "connected" | "failed"): void;
  /** A session got its connection, or an error, after this time. */
  waited(elapsedMs: number): void;
  waitTimedOut(): void;
  /**
   * A connection was taken from a session that could do without it: for another session, to make room for one that
   * none fits, or since nobody used it.
   */
  taken(why: "session" | "room" | "unused"): void;
  /** A connection was closed that was not simply no longer wanted; for the log. */
  connectionClosed(tablet: string, reason: string): void;
  /** A connection was made before anybody has asked for it. */
  madeInAdvance(tablet: string): void;
  /** For the log. */
  loginFailed(tablet: string, account: string, reason: string): void;
}

/** What a pool needs from outside. */
export interface PoolTools {
  readonly clock: { monotonicMs(): number; wallMs(): number };
  readonly observer: PoolObserver;
  /** Connects and logs in; rejects with BackendLoginError. */
  readonly logIn: (request: BackendLoginRequest) => Promise<LoggedIn>;
  /**
   * Assignments that every connection gets after login and after every reset, as a SET statement takes them, e.g.
   * `sql_mode='ANSI'`; null: none.
   */
  readonly sessionAssignments: string | null;
  /** From 0 to 1: connections that were made together end apart. @default they live as long as they may */
  readonly random?: () => number;
  /** Told what an account may do, once per server and credential, where that is wanted. @default it is not asked */
  readonly grants?: {
    wanted(tablet: Tablet): boolean;
    told(tablet: Tablet, account: BackendAccount, server: ServerFacts, lines: readonly string[]): void;
  };
  /** What is to be kept ready; asked now and then. @default nothing */
  readonly ready?: () => ReadyServers;
}

/** Servers that can be used now, and the accounts that sessions use there. */
export interface ReadyServers {
  readonly servers: readonly { readonly tablet: Tablet; readonly account: BackendAccount }[];
  /** The capabilities that greetings offer. */
  readonly announced: Capabilities;
}

/** What groups of one pool share. */
export interface GroupTools extends PoolTools {
  readonly limits: PoolLimits;
  readonly names: SessionNamesCache;
  readonly killQuery: KillQuery;
  /** Aborted when the pool closes. */
  readonly closing: AbortSignal;
  readonly nextSerial: () => number;
}

/** One account on one server, for status pages. */
export interface PoolSnapshot {
  readonly tablet: string;
  readonly account: string;
  readonly leased: number;
  /** Of those leased: the ones that another session could have at once. */
  readonly offered: number;
  readonly idle: number;
  readonly connecting: number;
  readonly waiting: number;
  /** Why logins pause; null: they do not. */
  readonly loginError: string | null;
}
