// What the table ACL decided, for metrics and the audit log: rights used, denials, denials that a dry run let pass, and
// statements of exempt principals. Names and rules, never a literal.

import type { AclDenial } from "../acl/denial.ts";
import type { Permit } from "../acl/permit.ts";
import type { SessionState } from "./session.ts";
import { auditAccounts, auditDenial } from "./session-audit.ts";
import { countUp, countUse } from "./session-metrics.ts";
import type { SessionServices } from "./session-services.ts";
import type { StatementText } from "./statement-text.ts";

/** Whose command it is. */
interface RecordedCommand {
  readonly services: SessionServices;
  readonly state: SessionState;
  /** `isSecondTry`: it was recorded already. */
  readonly backend: { readonly isSecondTry: boolean };
}

/** Records what a text was permitted by; once for every command of the client. */
export function recordPermits(
  { services, state, backend }: RecordedCommand,
  command: string,
  permits: readonly Permit[],
  text: StatementText,
): void {
  if (backend.isSecondTry) return;
  const { metrics } = services;
  if (text.uncertain) metrics.uncertainStatements += 1;
  if (command !== "COM_STMT_PREPARE")
    for (const kind of text.accountKinds) auditAccounts(services, state, command, kind);
  for (const permit of permits) {
    if (permit.exempt) metrics.tableAclExempt += 1;
    for (const { rule, role } of permit.uses) countUse(metrics, "allowed", rule, role);
    if (permit.wouldDeny !== null) recordDenial(services, state, command, permit.wouldDeny, "dry_run");
  }
}

/** Records one denial. */
export function recordDenial(
  services: SessionServices,
  state: SessionState,
  command: string,
  denial: AclDenial,
  outcome: "denied" | "dry_run",
): void {
  const { rule, role, object } = denial.record;
  countUse(services.metrics, outcome, rule, role);
  countUp(services.metrics.tableAclDenials, object);
  if (state.identity !== null)
    services.metrics.recentDenials.note(state.identity, denial, outcome, services.clock.wallMs());
  auditDenial(services, state, command, denial, outcome);
}
