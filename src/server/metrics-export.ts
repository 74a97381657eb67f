// Copies what sessions counted as plain numbers into the metrics when they are read: the hot path pays an addition,
// the scrape pays the rest.

import type { ByteBudget } from "../session/byte-budget.ts";
import type { SessionMetrics } from "../session/session-metrics.ts";
import type { SessionRegistry } from "../session/session-registry.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What is exported. */
export interface ExportSources {
  readonly sessions: SessionMetrics;
  readonly registry: SessionRegistry;
  readonly statementBudget: ByteBudget;
  readonly preparedStatements: { readonly count: number };
}

const MS_PER_SECOND = 1000;

/** Registers the copying. */
export function exportSessionMetrics(metrics: Metrics, sources: ExportSources): void {
  const { sessions, registry } = sources;
  const loginSeconds = metrics.histogram("login_seconds");
  const received = metrics.counter("client_bytes_total", { direction: "received" });
  const sent = metrics.counter("client_bytes_total", { direction: "sent" });
  const failures = metrics.counter("session_failures_total");
  const uncertain = metrics.counter("uncertain_statements_total");
  const backendErrors = metrics.counter("backend_errors_total");
  const exempt = metrics.counter("table_acl_exempt_total");
  const loggedIn = metrics.gauge("sessions");
  const buffered = metrics.gauge("statement_buffer_bytes");
  const prepared = metrics.gauge("prepared_statements");
  metrics.onRead(() => {
    for (const { keyspace, kind, latency } of sessions.commandLatency.all()) {
      const histogram = metrics.histogram("command_seconds", { keyspace, kind });
      histogram.load(latency.counts, latency.sumMs / MS_PER_SECOND);
    }
    loginSeconds.load(sessions.loginLatency.counts, sessions.loginLatency.sumMs / MS_PER_SECOND);
    received.raiseTo(sessions.bytesFromClients);
    sent.raiseTo(sessions.bytesToClients);
    failures.raiseTo(sessions.sessionFailures);
    uncertain.raiseTo(sessions.uncertainStatements);
    backendErrors.raiseTo(sessions.backendErrors);
    exempt.raiseTo(sessions.tableAclExempt);
    loggedIn.set(registry.loggedInCount);
    buffered.set(sources.statementBudget.reservedBytes);
    prepared.set(sources.preparedStatements.count);
    exportTables(metrics, sessions);
  });
}

/** Counters whose labels come into being as they are moved. */
function exportTables(metrics: Metrics, sessions: SessionMetrics): void {
  for (const [command, total] of Object.entries(sessions.commands)) {
    metrics.counter("commands_total", { command }).raiseTo(total);
  }
  for (const [reason, total] of Object.entries(sessions.sessionsEnded)) {
    metrics.counter("sessions_ended_total", { reason }).raiseTo(total);
  }
  for (const [reason, total] of Object.entries(sessions.loginRefusals)) {
    metrics.counter("login_refusals_total", { reason }).raiseTo(total);
  }
  for (const [reason, total] of Object.entries(sessions.connectionsRefused)) {
    metrics.counter("client_connections_refused_total", { reason }).raiseTo(total);
  }
  for (const login of sessions.logins.values()) {
    const { outcome, plugin, tls } = login;
    metrics.counter("logins_total", { outcome, plugin, tls }).raiseTo(login.count);
  }
  for (const { outcome, group, entry, role, count } of sessions.tableAcl.values()) {
    metrics.counter("table_acl_decisions_total", { outcome, group, entry, role }).raiseTo(count);
  }
  for (const [object, total] of Object.entries(sessions.tableAclDenials)) {
    metrics.counter("table_acl_denials_total", { object }).raiseTo(total);
  }
  for (const kind of errorKinds) {
    metrics.counter("errors_sent_total", { kind }).raiseTo(sessions.errorsSent[kind] ?? 0);
  }
  for (const [because, total] of Object.entries(sessions.pins)) {
    metrics.counter("session_pins_total", { because }).raiseTo(total);
  }
  for (const outcome of killOutcomes) {
    metrics.counter("kills_total", { outcome }).raiseTo(sessions.kills[outcome] ?? 0);
  }
}

const errorKinds = ["client", "auth", "acl", "limit", "backend", "gateway", "shutdown"] as const;
const killOutcomes = ["done", "unknown_id", "denied"] as const;
