// `gatehouse explain`: how a statement is understood, which rule decides about each table and routine, and the answer that
// the client would get. Pure: from a summary to data; explain-text makes prose of it. Holds no literal of the statement.

import type { Identity } from "../identity/identity.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import { AclDenial, type DecidingRule } from "./denial.ts";
import { Judgement } from "./judgement.ts";
import type { Role } from "./role.ts";
import type { TableAclAuthorizer } from "./table-acl-authorizer.ts";

/** Whose rights are looked at. */
export interface ExplainedUser {
  readonly loginUser: string;
  /** The base account where a proxy user is mapped. */
  readonly authUser: string;
  readonly userData: string;
  readonly groups: readonly string[];
  /** Whether nothing is denied to the user. */
  readonly exempt: boolean;
}

/** One right that the statement wants. */
export interface ExplainedRight {
  readonly object: "table" | "routine";
  /** `shop.orders`. */
  readonly name: string;
  readonly role: Role;
  readonly allowed: boolean;
  /** null: no entry names the object. */
  readonly rule: DecidingRule | null;
}

/** What the client would get. */
export type ExplainedAnswer =
  | {
      readonly permitted: true;
      readonly reason: string;
      /** In a dry run: the denial that is only counted. */
      readonly wouldDeny: ExplainedDenial | null;
    }
  | ({ readonly permitted: false } & ExplainedDenial);

/** A denial as the client and the audit log see it. */
export interface ExplainedDenial {
  /** MySQL's error number. */
  readonly code: number;
  readonly sqlState: string;
  readonly message: string;
  /** For the audit log only. */
  readonly reason: string;
}

/** One statement explained. */
export interface ExplainedStatement {
  readonly kind: string;
  readonly subject: string | null;
  readonly innerKinds: readonly string[];
  readonly readOnly: boolean;
  /** Why the backend connection stays with the session; null: it does not. */
  readonly pins: string | null;
  /** Why it could not be understood; null: it was. */
  readonly uncertain: string | null;
  readonly rights: readonly ExplainedRight[];
  readonly answer: ExplainedAnswer;
  /** Where it goes; null: not known here (`gatehouse explain` fills it in from the router). */
  readonly route: string | null;
}

/** Tells whose rights are looked at; `authorizer` null: no table ACL is configured. */
export function explainUser(identity: Identity, authorizer: TableAclAuthorizer | null): ExplainedUser {
  return {
    loginUser: identity.loginUser,
    authUser: identity.authUser,
    userData: identity.callerId.username,
    groups: identity.callerId.groups,
    exempt: authorizer?.isExempt(identity) ?? false,
  };
}

/** Explains one analysed statement; `authorizer` null: no table ACL is configured. */
export function explainStatement(
  identity: Identity,
  statement: StatementSummary,
  authorizer: TableAclAuthorizer | null,
  route: string | null = null,
): ExplainedStatement {
  return {
    kind: statement.kind,
    subject: statement.subject,
    innerKinds: statement.innerKinds,
    readOnly: statement.readOnly,
    pins: statement.effects.pins,
    uncertain: statement.uncertain?.reason ?? null,
    rights: authorizer === null ? [] : rightsOf(identity, statement, authorizer),
    answer: answerTo(identity, statement, authorizer),
    route,
  };
}

function rightsOf(
  identity: Identity,
  statement: StatementSummary,
  authorizer: TableAclAuthorizer,
): ExplainedRight[] {
  return new Judgement(authorizer.acl, identity, statement)
    .demands()
    .map(({ object, name, role, decision }) => ({
      object,
      name,
      role,
      allowed: decision.allowed,
      rule: decision.rule,
    }));
}

function answerTo(
  identity: Identity,
  statement: StatementSummary,
  authorizer: TableAclAuthorizer | null,
): ExplainedAnswer {
  if (authorizer === null) {
    return { permitted: true, reason: "no table ACL is configured", wouldDeny: null };
  }
  const result = authorizer.authorize(identity, statement);
  if (result instanceof Error) return { permitted: false, ...denialOf(result) };
  const { reason, wouldDeny } = result;
  return { permitted: true, reason, wouldDeny: wouldDeny === null ? null : denialOf(wouldDeny) };
}

function denialOf(error: AclDenial | (Error & { code: number; sqlState: string })): ExplainedDenial {
  return {
    code: error.code,
    sqlState: error.sqlState,
    message: error.message,
    reason: error instanceof AclDenial ? error.record.reason : error.message,
  };
}
