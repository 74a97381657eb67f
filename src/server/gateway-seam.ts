// The seam between the command line and the gateway: what the process gives it, and what it can ask of it. Signals,
// files of the process and exit codes stay outside.

import type { Clock } from "../base/clock.ts";
import type { SiblingProcesses } from "../session/sibling-processes.ts";
import type { AuditLog } from "../telemetry/audit.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { QueryLog } from "../telemetry/query-log.ts";
import type { GatewayHooks } from "./gateway-hooks.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { WorkerDuties } from "./workers/worker-seat.ts";

/** How the embedded database is reached, by the process that started it and by its workers. */
export interface EmbeddedAccess {
  readonly socketPath: string;
  readonly user: string;
  readonly password: string;
  /** One sentence for operators. */
  readonly note: string;
}

/** What a gateway is given that is one of several processes. */
export interface GatewaySeat {
  readonly siblings: SiblingProcesses;
  /** The upper 12 bits of connection ids. */
  readonly idPrefix: number;
  /** For the fingerprints of entries. */
  readonly fingerprintKey: Uint8Array;
  /** PEM of the key that all processes share; null: a file is configured. */
  readonly rsaKeyPem: string | null;
  /** The embedded database, which the first process runs; null: the options name a server. */
  readonly embedded: EmbeddedAccess | null;
  /** Whom the other processes write to, by keyspace: where several servers could be, all choose the same one. */
  readonly primaries: Readonly<Record<string, string>>;
  /** Called when sessions can be asked for. */
  attach(duties: WorkerDuties): void;
}

/** What the process shares with the gateway. */
export interface GatewayTools {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly audit: AuditLog;
  /** null: statements are not recorded. */
  readonly queryLog: QueryLog | null;
  /** @default the gateway serves alone */
  readonly seat?: GatewaySeat;
  /** Code in place of the gateway's own parts; for programs that use it as a library. */
  readonly hooks?: GatewayHooks;
  /** The gateway's own version, for the status page and the audit log. */
  readonly version: string;
}

/** A gateway that was made. */
export interface Gateway {
  /**
   * Listens. Resolves when clients can connect, whether or not the backend can be reached yet.
   * @throws StartError when a port or socket is taken, or a database binary is missing.
   */
  start(): Promise<void>;
  /** What it listens on, once started: `127.0.0.1:3306`, `/run/gatehouse.sock`. */
  readonly addresses: readonly string[];
  /** Reads all watched files again; never rejects: failures are logged and counted. */
  reload(trigger: string): Promise<void>;
  /** Stops as `GatewayOptions.shutdown` says; a second call ends at once what is left. Never rejects. */
  stop(reason: string): Promise<void>;
}

/** Why a gateway cannot start: `message` is one sentence that says what to do. No stack is shown. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/**
 * Makes a gateway: reads and validates its files.
 * @throws FileProblemsError when a file is missing or not valid; StartError for anything else a person can mend.
 */
export type CreateGateway = (options: GatewayOptions, tools: GatewayTools) => Promise<Gateway>;
