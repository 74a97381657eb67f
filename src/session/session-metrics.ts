// What sessions count, as plain numbers: telemetry reads them when it is scraped, so the hot path pays an addition.

import type { DecidingRule } from "../acl/denial.ts";
import type { Role } from "../acl/role.ts";
import { CommandLatency, Latency, loginBoundsMs } from "./latency.ts";
import { RecentDenials } from "./recent-denials.ts";

/** One kind of login and how often it was seen. */
export interface LoginCount {
  readonly outcome: "accepted" | "refused";
  readonly plugin: string;
  readonly tls: "none" | "TLSv1.2" | "TLSv1.3";
  count: number;
}

/** Counters of all sessions of a process. */
export interface SessionMetrics {
  /** Commands by name (`query`, `stmt_execute`, ...). */
  readonly commands: Record<string, number>;
  readonly commandLatency: CommandLatency;
  /** From accept to the verdict. */
  readonly loginLatency: Latency;
  /** Errors that the gateway itself sent, by kind of mysql-errors. */
  readonly errorsSent: Record<string, number>;
  /** ERR packets of backends that were relayed. */
  backendErrors: number;
  /** Sessions ended, by SessionEndCode. */
  readonly sessionsEnded: Record<string, number>;
  /** Logins judged, by outcome, plugin and TLS version together. */
  readonly logins: Map<string, LoginCount>;
  /** Refused logins by reason code. */
  readonly loginRefusals: Record<string, number>;
  /** Connections that ended before a login was judged, by cause. */
  readonly connectionsRefused: Record<string, number>;
  /** KILLs by outcome. */
  readonly kills: Record<string, number>;
  /** Times that a session was bound to its backend connection until a reset, by reason. */
  readonly pins: Record<string, number>;
  /** Sessions ended by a mistake of ours. */
  sessionFailures: number;
  bytesToClients: number;
  bytesFromClients: number;
  /** Statements that were not understood and relayed all the same. */
  uncertainStatements: number;
  /** What the table ACL decided about rights, by outcome, rule and role together; bounded. */
  readonly tableAcl: Map<string, AclUseCount>;
  /** Denials, also those of a dry run, by what was denied. */
  readonly tableAclDenials: Record<string, number>;
  readonly recentDenials: RecentDenials;
  /** Statements that ran because nothing is denied to the principal. */
  tableAclExempt: number;
}

/** How often a rule of the table ACL decided so. */
export interface AclUseCount {
  readonly outcome: "allowed" | "denied" | "dry_run";
  readonly group: string;
  readonly entry: string;
  readonly role: string;
  count: number;
}

/** All at zero. */
export function newSessionMetrics(): SessionMetrics {
  return {
    commands: {},
    commandLatency: new CommandLatency(),
    loginLatency: new Latency(loginBoundsMs),
    errorsSent: {},
    backendErrors: 0,
    sessionsEnded: {},
    logins: new Map(),
    loginRefusals: {},
    connectionsRefused: {},
    kills: {},
    pins: {},
    sessionFailures: 0,
    bytesToClients: 0,
    bytesFromClients: 0,
    uncertainStatements: 0,
    tableAcl: new Map(),
    tableAclDenials: {},
    recentDenials: new RecentDenials(),
    tableAclExempt: 0,
  };
}

/** Adds one to a counter that may not exist yet; names come from our own tables, so their number is bounded. */
export function countUp(counters: Record<string, number>, name: string): void {
  counters[name] = (counters[name] ?? 0) + 1;
}

/** Counts one judged login; plugins and versions come from our own tables, so the number of kinds is bounded. */
export function countLogin(
  metrics: SessionMetrics,
  outcome: LoginCount["outcome"],
  plugin: string,
  tlsVersion: string | null,
): void {
  const tls = tlsVersion === "TLSv1.2" || tlsVersion === "TLSv1.3" ? tlsVersion : "none";
  const key = `${outcome} ${plugin} ${tls}`;
  const seen = metrics.logins.get(key);
  if (seen === undefined) metrics.logins.set(key, { outcome, plugin, tls, count: 1 });
  else seen.count += 1;
}

/** Rules that are counted apart; reloads bring new ones. Later ones count as `other`. */
const aclUsesMax = 2048;

/** Counts one decision of the table ACL; `rule` null: no entry names the object. */
export function countUse(
  metrics: SessionMetrics,
  outcome: AclUseCount["outcome"],
  rule: DecidingRule | null,
  role: Role | null,
): void {
  const group = rule?.group ?? "none";
  const entry = rule?.entry ?? "none";
  const key = `${outcome} ${role ?? "none"} ${entry} ${group}`;
  const seen = metrics.tableAcl.get(key);
  if (seen !== undefined) seen.count += 1;
  else if (metrics.tableAcl.size >= aclUsesMax) countOther(metrics, outcome);
  else metrics.tableAcl.set(key, { outcome, group, entry, role: role ?? "none", count: 1 });
}

function countOther(metrics: SessionMetrics, outcome: AclUseCount["outcome"]): void {
  const seen = metrics.tableAcl.get(outcome);
  if (seen !== undefined) seen.count += 1;
  else metrics.tableAcl.set(outcome, { outcome, group: "other", entry: "other", role: "other", count: 1 });
}
