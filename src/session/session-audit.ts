// The audit events of sessions: who tried to log in, who was refused what. No secret and no statement text ever
// reaches these records.

import type { AclDenial } from "../acl/denial.ts";
import type { LoginRequest } from "../auth/login-request.ts";
import type { SqlError } from "../errors/sql-error.ts";
import { judgeClientCertificate } from "../identity/client-certificate.ts";
import type { EntryReference, Identity } from "../identity/identity.ts";
import type { Peer } from "../identity/peer.ts";
import type { KillRequest } from "../sql/statement-summary.ts";
import type { SessionState } from "./session.ts";
import { countLogin, countUp } from "./session-metrics.ts";
import type { SessionServices } from "./session-services.ts";

/** Records an accepted login. */
export function auditAccepted(
  services: SessionServices,
  state: SessionState,
  request: LoginRequest,
  identity: Identity,
): void {
  const { peer } = request;
  const certificate = peer.tls?.certificate;
  timeLogin(services, state, request);
  countLogin(services.metrics, "accepted", identity.plugin, peer.tls?.version ?? null);
  // Written out: one shape of object for every login, which costs a fraction of one that is put together from parts.
  services.audit.record("login", {
    connection_id: state.id,
    user: request.user,
    host: peer.host,
    origin: request.origin,
    outcome: "accepted",
    reason: null,
    error_code: null,
    port: peer.port,
    transport: peer.transport,
    tls: peer.tls?.version ?? null,
    plugin: identity.plugin,
    user_data: identity.callerId.username,
    groups: identity.callerId.groups,
    entry: nameOf(identity.entry),
    entry_fingerprint: identity.entry.fingerprint,
    users_generation: identity.entry.generation,
    base_entry: identity.baseEntry === null ? null : nameOf(identity.baseEntry),
    spiffe_id: identity.spiffeId,
    certificate_serial: shown(certificate?.serialNumber),
    certificate_issuer: shown(certificate?.issuer),
    certificate_not_after: timeOf(certificate?.notAfterMs),
  });
}

/** Records a refused login with its reason code. */
export function auditRefused(
  services: SessionServices,
  state: SessionState,
  request: LoginRequest,
  refusal: { readonly error: SqlError; readonly reason: string; readonly plugin: string },
): void {
  const { peer } = request;
  const certificate = peer.tls?.certificate;
  timeLogin(services, state, request);
  countLogin(services.metrics, "refused", refusal.plugin, peer.tls?.version ?? null);
  countUp(services.metrics.loginRefusals, refusal.reason);
  services.audit.record("login", {
    connection_id: state.id,
    user: request.user,
    host: peer.host,
    origin: request.origin,
    outcome: "refused",
    reason: refusal.reason,
    error_code: refusal.error.code,
    port: peer.port,
    transport: peer.transport,
    tls: peer.tls?.version ?? null,
    plugin: refusal.plugin,
    user_data: null,
    groups: [],
    entry: null,
    entry_fingerprint: null,
    users_generation: null,
    base_entry: null,
    spiffe_id: spiffeIdOf(peer),
    certificate_serial: shown(certificate?.serialNumber),
    certificate_issuer: shown(certificate?.issuer),
    certificate_not_after: timeOf(certificate?.notAfterMs),
  });
}

/** What an unverified certificate says may be of any length, and is written by whoever made it. */
const certificateTextLengthMax = 256;

const shown = (text: string | undefined): string | null => text?.slice(0, certificateTextLengthMax) ?? null;

const timeOf = (ms: number | undefined): string | null =>
  ms === undefined || Number.isNaN(ms) ? null : new Date(ms).toISOString();

function spiffeIdOf(peer: Peer): string | null {
  const certificate = judgeClientCertificate(peer);
  return certificate.kind === "verified" && certificate.spiffeId.ok ? certificate.spiffeId.value : null;
}

const nameOf = (entry: EntryReference): string => `${entry.user}[${entry.index}]`;

/** A login by COM_CHANGE_USER has no accept to count from. */
function timeLogin(services: SessionServices, state: SessionState, request: LoginRequest): void {
  if (request.origin !== "connect") return;
  services.metrics.loginLatency.observe(services.clock.monotonicMs() - state.startedMs);
}

/** Records a command that was refused, and why. */
export function auditCommandRefused(
  services: SessionServices,
  state: SessionState,
  refusal: { readonly command: string; readonly statementKind: string | null; readonly error: SqlError },
): void {
  services.audit.record("refusal", {
    ...sessionFields(state),
    command: refusal.command,
    statement_kind: refusal.statementKind,
    error_code: refusal.error.code,
    reason: refusal.error.reason ?? refusal.error.symbol,
  });
}

/** Records a denial by the table ACL. */
export function auditDenial(
  services: SessionServices,
  state: SessionState,
  command: string,
  denial: AclDenial,
  outcome: "denied" | "dry_run",
): void {
  const { statementKind, object, name, role, rule, reason } = denial.record;
  services.audit.record("denial", {
    ...sessionFields(state),
    groups: [...(state.identity?.callerId.groups ?? [])],
    command,
    outcome,
    statement_kind: statementKind,
    object,
    name,
    role,
    rule_group: rule?.group ?? null,
    rule_entry: rule?.entry ?? null,
    rule_list: rule?.list ?? null,
    rule_principal: rule?.principal ?? null,
    error_code: denial.code,
    reason,
  });
}

/** Records that a statement about the server's accounts is relayed. */
export function auditAccounts(
  services: SessionServices,
  state: SessionState,
  command: string,
  statementKind: string,
): void {
  services.audit.record("accounts", { ...sessionFields(state), command, statement_kind: statementKind });
}

/** Records a KILL. */
export function auditKill(
  services: SessionServices,
  state: SessionState,
  request: KillRequest,
  outcome: "done" | "unknown_id" | "denied",
): void {
  countUp(services.metrics.kills, outcome);
  services.audit.record("kill", {
    ...sessionFields(state),
    scope: request.scope,
    target_id: request.id,
    outcome,
  });
}

/** Records that the gateway itself ended a session. */
export function auditDisconnect(services: SessionServices, state: SessionState, reason: string): void {
  services.audit.record("disconnect", { ...sessionFields(state), reason });
}

function sessionFields(state: SessionState) {
  return {
    connection_id: state.id,
    user: state.identity?.loginUser ?? "",
    host: state.peer.host,
    user_data: state.identity?.callerId.username ?? null,
  };
}
