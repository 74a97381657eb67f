// The authoriser of a gateway with a table ACL: who is exempt, what a denial means under strict and dry run, and the
// exchange of the ACL at a reload. Pure and synchronous.

import type { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import { bareStatement } from "../sql/statement-summary.ts";
import type { Authorizer } from "./authorizer.ts";
import type { AclDenial } from "./denial.ts";
import { grantLines } from "./grants.ts";
import { Judgement, seesSchema } from "./judgement.ts";
import { clientPermit, type GrantedUse, type Permit } from "./permit.ts";
import type { TableAcl } from "./table-acl.ts";

/** How a table ACL is applied. */
export interface TableAclSettings {
  /** --queryserver_config_strict_table_acl: false permits what the ACL denies, without a word. */
  readonly strict: boolean;
  /** --queryserver_config_enable_table_acl_dry_run: permits what the ACL denies, with the denial in the permit. */
  readonly dryRun: boolean;
  /** --queryserver_config_acl_exempt_acl: principals (UserData or Groups, `*` everyone) that nothing is denied to. */
  readonly exempt: readonly string[];
}

/** An authoriser whose ACL can be exchanged as a whole. */
export interface TableAclAuthorizer extends Authorizer {
  /** Takes `acl` from now on; `generation` grows. */
  replace(acl: TableAcl): void;
  readonly acl: TableAcl;
  /** Whether one of the caller's principals is exempt. */
  isExempt(identity: Identity): boolean;
}

const exemptPermit = clientPermit("the principal is exempt from the table ACL", { exempt: true });
const laxPermit = clientPermit("the table ACL is not strict");
const freePermit = clientPermit("nothing is touched that needs a right");

/** Makes the authoriser. */
export function createTableAclAuthorizer(initial: TableAcl, settings: TableAclSettings): TableAclAuthorizer {
  const exempt = new Set(settings.exempt);
  let acl = initial;
  let generation = 1;

  function isExempt({ callerId }: Identity): boolean {
    if (exempt.size === 0) return false;
    return (
      exempt.has("*") || exempt.has(callerId.username) || callerId.groups.some((name) => exempt.has(name))
    );
  }

  /** Whether nothing is refused to the identity. */
  function isUnbound(identity: Identity): boolean {
    return !settings.strict || settings.dryRun || isExempt(identity);
  }

  function conclude(denial: AclDenial | null, uses: readonly GrantedUse[]): Permit | SqlError {
    if (denial === null)
      return uses.length === 0 ? freePermit : clientPermit("the table ACL allows it", { uses });
    if (settings.dryRun) {
      return clientPermit("the table ACL runs dry", { uses, wouldDeny: denial });
    }
    return settings.strict ? denial : laxPermit;
  }

  return {
    get generation() {
      return generation;
    },
    get acl() {
      return acl;
    },
    enforcing: settings.strict && !settings.dryRun,
    judging: settings.strict || settings.dryRun,
    replace(next) {
      acl = next;
      generation += 1;
    },
    isExempt,
    authorize(identity, statement) {
      if (isExempt(identity)) return exemptPermit;
      const judge = new Judgement(acl, identity, statement);
      return conclude(judge.run(), judge.uses);
    },
    authorizeSchema(identity, schema) {
      if (isExempt(identity)) return exemptPermit;
      const judge = new Judgement(acl, identity, bareStatement("USE"));
      return conclude(judge.seeSchema(schema), judge.uses);
    },
    allows(identity, object, role, name) {
      if (isUnbound(identity)) return true;
      const { callerId } = identity;
      const decision =
        object === "table" ? acl.decideTable(callerId, name, role) : acl.decideRoutine(callerId, name, role);
      return decision.allowed;
    },
    mayRead: (identity, schema, table) =>
      isUnbound(identity) || acl.decideTable(identity.callerId, { schema, name: table }, "reader").allowed,
    maySeeSchema: (identity, schema) => isUnbound(identity) || seesSchema(acl, identity, schema),
    grantsFor: (identity) => (isUnbound(identity) ? null : grantLines(acl, identity)),
    seesAllSessions: isExempt,
  };
}
