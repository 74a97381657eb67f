// decide(): from a command's text to "relay it, with this permit" or "answer this error".

import type { Authorizer } from "../acl/authorizer.ts";
import type { Permit } from "../acl/permit.ts";
import { SqlError } from "../errors/sql-error.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
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

/** Judges texts. */
export interface StatementDecider {
  /** The text is `payload` from `from` on. */
  decide(state: SessionState, payload: Uint8Array, from: number): Decision;
}

/** Analyses a text into its statements. */
export type AnalyzeText = (
  text: Uint8Array,
  state: SessionState,
) => { statements: readonly StatementSummary[]; parameterCount: number };

/** Makes the decider of a gateway. */
export function createStatementDecider(authorizer: () => Authorizer, analyze: AnalyzeText): StatementDecider {
  return {
    decide: (state, payload, from) => {
      const { statements, parameterCount } = analyze(payload.subarray(from), state);
      const text = statementText(statements);
      const identity = state.identity;
      if (identity === null) throw new Error("a statement before the login");
      let permit: Permit | null = null;
      for (const statement of statements) {
        const verdict = authorizer().authorize(identity, statement);
        if (verdict instanceof SqlError)
          return { kind: "refuse", error: verdict, statementKind: statement.kind };
        permit = verdict;
      }
      if (permit === null) throw new Error("a text without any statement");
      return { kind: "forward", permit, text, parameterCount };
    },
  };
}
