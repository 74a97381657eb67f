// A statement that was judged when it was prepared, and would be read otherwise by now: servers read its text anew when a
// table of it has changed, as the session's texts are read by then. Where an ACL is enforced, such a statement runs only if
// it means the same both ways.

import { AclDenial } from "../acl/denial.ts";
import type { SqlError } from "../errors/sql-error.ts";
import { mayReadOtherwise } from "../sql/reading-traits.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import type { CommandLoop } from "./command-loop.ts";
import type { PreparedStatement } from "./prepared-statements.ts";
import { readOtherwiseError } from "./sql-prepared.ts";

/** Why a statement of the binary protocol cannot be executed by now; null: it can. `state.reading` must be known. */
export function readOtherwise(loop: CommandLoop, prepared: PreparedStatement): SqlError | null {
  const { state } = loop;
  const { reading: then, traits, payload } = prepared;
  if (!isBound(loop, prepared)) return null;
  const now = state.reading;
  // Where nothing was asked, nothing in the text depends on the answer.
  if (then === null || now === null ? traits === 0 : !mayReadOtherwise(traits, then, now)) return null;
  if (payload === null || now === null) return readOtherwiseError();
  const present = state.database;
  // Its names are those of the schema in which it was prepared.
  state.database = prepared.database;
  const decision = loop.services.decider.decide(state, payload, 1);
  state.database = present;
  if (decision.kind === "refuse")
    return decision.error instanceof AclDenial && decision.error.record.object !== "text"
      ? decision.error
      : readOtherwiseError();
  const isSame = meaningOf(decision.text.statements) === meaningOf(prepared.statement.statements);
  return isSame ? null : readOtherwiseError();
}

/** Whether it must be known how the session's texts are read, before it is executed. */
export function dependsOnReading(loop: CommandLoop, prepared: PreparedStatement): boolean {
  return loop.state.reading === null && prepared.traits !== 0 && isBound(loop, prepared);
}

function isBound({ services }: CommandLoop, { permits, isOwn }: PreparedStatement): boolean {
  return services.authorizer().enforcing && !isOwn && permits.some(({ exempt }) => !exempt);
}

/** What was judged, without the places in the text. */
function meaningOf(statements: readonly StatementSummary[]): string {
  return JSON.stringify(
    statements.map(({ identityTokens, unnamedItems, ...meaning }) => ({
      ...meaning,
      told: identityTokens.map(({ name, place }) => `${name} ${place}`),
      effects: null,
      unnamed: unnamedItems.length,
    })),
  );
}
