// Everything a session is given: the parts it walks through, its limits, and who wants to hear of it. One object per
// process; nothing here belongs to a single session.

import type { Authorizer } from "../acl/authorizer.ts";
import type { AuthExchange, AuthenticatedUser } from "../auth/auth-exchange.ts";
import type { LoginRequest } from "../auth/login-request.ts";
import type { BackendPool } from "../backend/backend-pool.ts";
import type { Outages } from "../backend/outage.ts";
import type { Clock } from "../base/clock.ts";
import type { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { Router } from "../routing/router.ts";
import type { AuditLog } from "../telemetry/audit.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { QueryLog } from "../telemetry/query-log.ts";
import type { ProxyUserOptions } from "../users/proxy-users.ts";
import type { UserEntry } from "../users/user-directory.ts";
import type { ByteBudget } from "./byte-budget.ts";
import type { ReadingServer } from "./reading.ts";
import type { SessionMetrics } from "./session-metrics.ts";
import type { SessionRegistry } from "./session-registry.ts";
import type { SiblingProcesses } from "./sibling-processes.ts";
import type { StatementDecider } from "./statement-decider.ts";

/** Judges logins: what the session asks of auth/. */
export interface LoginJudge {
  /** The plugin that the greeting names. */
  readonly greetingPlugin: string;
  /** 20 fresh bytes. */
  newScramble(): Uint8Array;
  /** The conversation of one login. */
  authenticate(request: LoginRequest): AuthExchange;
  /** Who an authenticated user is; `base` is the entry of the base account when a proxy user is mapped. */
  identify(
    user: AuthenticatedUser,
    request: LoginRequest,
  ):
    | { readonly identity: Identity; readonly base: UserEntry | null }
    | { readonly error: SqlError; readonly reason: string };
}

/** The limits of one session. Times in milliseconds, Infinity for none; sizes in bytes. */
export interface SessionLimits {
  /** From accept to authenticated; beyond: 1159. */
  readonly connectTimeoutMs: number;
  /** Between two commands; beyond: 4031. */
  readonly idleTimeoutMs: number;
  /** Between the first and the last byte of a command; beyond: the session ends. */
  readonly readTimeoutMs: number;
  /** For a client that does not take what is written while a backend is held; beyond: the session ends. */
  readonly writeTimeoutMs: number;
  /** For one command; beyond: it is cancelled on the backend, 3024. */
  readonly queryTimeoutMs: number;
  /** Payload of one command; beyond: 1153 and the session ends. */
  readonly allowedPacketBytesMax: number;
  /** Live sessions of this process, beyond: 1040. */
  readonly connectionsMax: number;
  /** Live sessions of one login user; 0: no limit; beyond: 1203. */
  readonly connectionsPerUserMax: number;
  /** Prepared statements of all sessions; beyond: 1461. */
  readonly preparedStatementsMax: number;
}

/** What the greeting says about the servers behind; changes as health learns. */
export interface GreetingFacts {
  /** e.g. `5.5.5-10.11.19-MariaDB` */
  readonly versionText: string;
  /** Default collation id. */
  readonly collation: number;
  /** The capability bits that every usable backend has. */
  readonly backendCapabilities: number;
}

/** What sessions share. */
export interface SessionServices {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: AuditLog;
  readonly metrics: SessionMetrics;
  /** null: statements are not recorded. */
  readonly queryLog: QueryLog | null;
  readonly registry: SessionRegistry;
  /** null: this process serves alone. */
  readonly siblings: SiblingProcesses | null;
  readonly authenticator: LoginJudge;
  readonly authorizer: () => Authorizer;
  readonly router: () => Router;
  readonly decider: StatementDecider;
  readonly pool: BackendPool;
  /** Where statements wait while there is no server to send them to. */
  readonly outages: Outages;
  readonly greeting: () => GreetingFacts;
  /** The server that reads the sessions' texts; null: none was seen yet. */
  readonly readingServer: () => ReadingServer | null;
  readonly limits: SessionLimits;
  /** MySQL's variables of these names, as sessions are told. */
  readonly proxyUsers: ProxyUserOptions;
  /** Begin every forwarded statement with a comment that says whose it is. */
  readonly callerIdComment: boolean;
  /** Refuse plain TCP (3159). */
  readonly requireSecureTransport: boolean;
  /** Offer LOCAL_FILES to clients. */
  readonly localInfile: boolean;
  /** Memory for statements that are being collected, over all sessions. */
  readonly statementBudget: ByteBudget;
  /** Live prepared statements over all sessions; mutable. */
  readonly preparedStatements: { count: number };
  /** The gateway ends: who has not logged in yet is told so (1053). */
  readonly refusesLogins: () => boolean;
  /** Told once per finished login; for the users page and `users list`. */
  readonly onLogin: (identity: Identity) => void;
}
