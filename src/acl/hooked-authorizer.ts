// An authoriser whose word is that of code given from outside, beside what another authoriser says: both must allow.
// What cannot be understood with certainty is refused without asking: nobody could judge it.

import type { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import { bareStatement, type StatementSummary } from "../sql/statement-summary.ts";
import type { Authorizer } from "./authorizer.ts";
import { hookDenial, refusedText } from "./denial-texts.ts";
import { clientPermit, type Permit } from "./permit.ts";
import type { Role } from "./role.ts";
import type { ObjectName } from "./table-acl.ts";

/** What the code given from outside says about a statement. */
export type HookVerdict =
  | "allow"
  /** A sentence for the audit log; the client gets 1142 or 1227 in MySQL's words. */
  | { readonly deny: string };

/** Decides whether `identity` may run `statement`: synchronously, and the same until the watcher is called. */
export type AuthorizeHook = (identity: Identity, statement: StatementSummary) => HookVerdict;

/** An authoriser that can be told that the hook would answer otherwise from now on. */
export interface HookedAuthorizer extends Authorizer {
  /** Decisions that are kept are forgotten. */
  changed(): void;
}

const hookPermit = clientPermit("the authorisation hook allows it");

/** Makes the authoriser; `base` is asked first. @throws TypeError from its methods when the hook gives no verdict */
export function createHookedAuthorizer(base: () => Authorizer, hook: AuthorizeHook): HookedAuthorizer {
  let changes = 0;

  function ask(identity: Identity, summary: StatementSummary): SqlError | null {
    const statement = withUsedSchema(summary);
    const verdict: unknown = hook(identity, statement);
    if (verdict === "allow") return null;
    // Also a promise is no verdict: taken for one, it would allow everything.
    const deny = typeof verdict === "object" && verdict !== null && "deny" in verdict ? verdict.deny : null;
    if (typeof deny !== "string")
      throw new TypeError('The authorisation hook must return "allow" or { deny }');
    return hookDenial(identity, statement, deny);
  }

  function judge(
    permit: Permit | SqlError,
    identity: Identity,
    statement: StatementSummary,
  ): Permit | SqlError {
    if (permit instanceof Error) return permit;
    const { uncertain } = statement;
    if (uncertain !== null) return refusedText(statement, uncertain.symbol, uncertain.reason);
    return ask(identity, statement) ?? (base().judging ? permit : hookPermit);
  }

  const seesTable = (identity: Identity, name: ObjectName, role: Role) =>
    ask(identity, statementOn("table", role, name)) === null;

  return {
    // Each part only grows, and no sum of the two comes back.
    get generation() {
      return base().generation + changes;
    },
    enforcing: true,
    judging: true,
    changed: () => {
      changes += 1;
    },
    authorize: (identity, statement) => judge(base().authorize(identity, statement), identity, statement),
    authorizeSchema: (identity, schema) =>
      judge(base().authorizeSchema(identity, schema), identity, useOf(schema)),
    allows: (identity, object, role, name) =>
      base().allows(identity, object, role, name) && ask(identity, statementOn(object, role, name)) === null,
    mayRead: (identity, schema, table) =>
      base().mayRead(identity, schema, table) && seesTable(identity, { schema, name: table }, "reader"),
    maySeeSchema: (identity, schema) =>
      base().maySeeSchema(identity, schema) && ask(identity, useOf(schema)) === null,
    seesAllSessions: (identity) => base().seesAllSessions(identity),
    grantsFor: (identity) => base().grantsFor(identity) ?? [usage(identity)],
  };
}

/** One place to look for the schemas that a statement names: also that of USE. */
function withUsedSchema(statement: StatementSummary): StatementSummary {
  const { use } = statement.effects;
  if (use === null || statement.schemas.some(({ name }) => name === use)) return statement;
  return { ...statement, schemas: [...statement.schemas, { name: use, access: "see" }] };
}

function useOf(schema: string): StatementSummary {
  return { ...bareStatement("USE"), schemas: [{ name: schema, access: "see" }] };
}

const kindOfRole = { reader: "SELECT", writer: "INSERT", admin: "ALTER TABLE", executor: "CALL" } as const;

/** The plainest statement that wants the right. */
function statementOn(
  object: "table" | "routine",
  role: Role,
  { schema, name }: ObjectName,
): StatementSummary {
  const bare = bareStatement(kindOfRole[role]);
  if (object === "routine") {
    const routine = { schema, name };
    return role === "admin" ? { ...bare, routineChanges: [routine] } : { ...bare, routines: [routine] };
  }
  const table = { schema, name, qualified: true };
  if (role === "reader") return { ...bare, reads: [table], readOnly: true };
  return role === "writer" ? { ...bare, writes: [table] } : { ...bare, changes: [table] };
}

/** What may be done is the hook's secret. */
function usage({ authUser, authHost }: Identity): string {
  const quoted = (text: string) => `\`${text.replaceAll("`", "``")}\``;
  return `GRANT USAGE ON *.* TO ${quoted(authUser)}@${quoted(authHost)}`;
}
