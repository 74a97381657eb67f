// decide(): from a command's text to "relay it, with this permit" or "answer this error". Where nobody can be refused,
// one look recognises what is plain; everything else is analysed.

import type { Authorizer } from "../acl/authorizer.ts";
import type { Permit } from "../acl/permit.ts";
import { assert } from "../base/assert.ts";
import { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import { plainKindOf } from "../sql/plain-statement.ts";
import { bareStatement, type StatementSummary } from "../sql/statement-summary.ts";
import type { SessionState } from "./session.ts";
import { type StatementText, statementText } from "./statement-text.ts";

/** What becomes of a command's text. */
export type Decision =
  | {
      readonly kind: "forward";
      readonly permit: Permit;
      readonly text: StatementText;
      readonly parameterCount: number;
    }
  | { readonly kind: "refuse"; readonly error: SqlError; readonly statementKind: string };

/** A text taken apart. */
export interface AnalyzedCommand {
  /** At least one, `EMPTY` for a text without any. */
  readonly statements: readonly StatementSummary[];
  /** `?` places; only known where the text is a single KILL. */
  readonly parameterCount: number;
}

/** Judges texts. */
export interface StatementDecider {
  /** The text is `payload` from `from` on. */
  decide(state: SessionState, payload: Uint8Array, from: number): Decision;
}

const plainRead = statementText([{ ...bareStatement("SELECT"), readOnly: true }]);
const plainWrite = statementText([bareStatement("INSERT")]);

/** Makes the decider of a gateway. */
export function createStatementDecider(
  authorizer: () => Authorizer,
  analyze: (text: Uint8Array, state: SessionState) => AnalyzedCommand,
): StatementDecider {
  return {
    decide: (state, payload, from) => {
      const judge = authorizer();
      const identity = state.identity;
      assert(identity !== null, "a statement before the login");
      if (!judge.enforcing) {
        const plain = plainKindOf(payload, from, payload.length);
        if (plain !== "no") return permitPlain(judge, identity, plain === "read" ? plainRead : plainWrite);
      }
      const { statements, parameterCount } = analyze(payload.subarray(from), state);
      let permit: Permit | null = null;
      for (const statement of statements) {
        const verdict = judge.authorize(identity, statement);
        if (verdict instanceof SqlError)
          return { kind: "refuse", error: verdict, statementKind: statement.kind };
        permit = verdict;
      }
      assert(permit !== null, "a text without any statement");
      return { kind: "forward", permit, text: statementText(statements), parameterCount };
    },
  };
}

/** The decision about plain text of one authoriser is always the same one: it is made once. */
const plainDecisions = new WeakMap<Authorizer, Map<StatementText, Decision>>();

function permitPlain(judge: Authorizer, identity: Identity, text: StatementText): Decision {
  const known = plainDecisions.get(judge)?.get(text);
  if (known !== undefined) return known;
  const statement = text.statements[0];
  assert(statement !== undefined, "a plain text has one statement");
  const permit = judge.authorize(identity, statement);
  assert(!(permit instanceof SqlError), "an authoriser that does not enforce has refused");
  const decision: Decision = { kind: "forward", permit, text, parameterCount: 0 };
  const decisions = plainDecisions.get(judge) ?? new Map<StatementText, Decision>();
  plainDecisions.set(judge, decisions.set(text, decision));
  return decision;
}
