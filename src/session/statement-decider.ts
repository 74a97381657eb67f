// decide(): from a command's text to "relay it, with this permit" or "answer this error". Where nobody can be refused,
// one look recognises what is plain; everything else is analysed.

import type { Authorizer } from "../acl/authorizer.ts";
import { accountsDenial } from "../acl/denial-texts.ts";
import type { Permit } from "../acl/permit.ts";
import { listingOf } from "../acl/show-rights.ts";
import { assert } from "../base/assert.ts";
import { SqlError, sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { RoutedBy } from "../routing/router.ts";
import type { AnalysisContext, AnalyzedText } from "../sql/analyzed-text.ts";
import { mayNameIdentity, namesIdentity, untellableIdentity } from "../sql/identity-tokens.ts";
import { plainKindOf } from "../sql/plain-statement.ts";
import { bareStatement, type StatementSummary } from "../sql/statement-summary.ts";
import { carriesOwnShow } from "./own-answers.ts";
import type { SessionState } from "./session.ts";
import { makesName, readOtherwiseError, sqlPreparedMax, usesName } from "./sql-prepared.ts";
import { type StatementText, statementText } from "./statement-text.ts";
import type { Truth } from "./truth.ts";

/** A text that may be sent. */
export interface ForwardDecision {
  readonly kind: "forward";
  /** Of the last statement: one is as good as another for sending. */
  readonly permit: Permit;
  /** Of every statement, for the records. */
  readonly permits: readonly Permit[];
  readonly text: StatementText;
  readonly parameterCount: number;
  /** What the text says of the session's identity, to be put right before it is sent; null: nothing. */
  readonly truth: Truth | null;
  /** It may say something of it, or where it goes, that cannot be told before it is known how the server reads it. */
  readonly needsReading: boolean;
}

/** What becomes of a command's text. */
export type Decision =
  | ForwardDecision
  | { readonly kind: "refuse"; readonly error: SqlError; readonly statementKind: string };

/** A text taken apart. */
export interface AnalyzedCommand {
  readonly analyzed: AnalyzedText;
  /** In which that was done. */
  readonly context: AnalysisContext;
  /** Whether its WHERE tells nothing of rows that are dropped; asked of listings only. */
  readonly isPlainListing: () => boolean;
}

/** Judges texts. */
export interface StatementDecider {
  /** The text is `payload` from `from` on. */
  decide(state: SessionState, payload: Uint8Array, from: number): Decision;
}

const plainRead = statementText([{ ...bareStatement("SELECT"), readOnly: true }], null);
const plainWrite = statementText([bareStatement("INSERT")], null);

/** Makes the decider of a gateway. */
export function createStatementDecider(
  authorizer: () => Authorizer,
  analyze: (text: Uint8Array, state: SessionState) => AnalyzedCommand,
  routedBy: () => RoutedBy,
): StatementDecider {
  const decisions = new DecisionCache();
  return {
    decide: (state, payload, from) => {
      const judge = authorizer();
      const identity = state.identity;
      assert(identity !== null, "a statement before the login");
      if (!judge.judging && mayLookQuickly(state, routedBy(), payload, from)) {
        const plain = plainKindOf(payload, from, payload.length);
        if (plain !== "no") return permitPlain(judge, identity, plain === "read" ? plainRead : plainWrite);
      }
      const command = analyze(payload.subarray(from), state);
      const { statements } = command.analyzed;
      const known = decisions.find(statements, identity, judge.generation);
      if (known !== null) return known;
      const decision = decideAnew(judge, identity, state, command, payload.subarray(from), routedBy());
      if (dependsOnTextOnly(statements)) decisions.keep(statements, identity, judge.generation, decision);
      return decision;
    },
  };
}

const DOT = 0x2e;

const serverSchemas = /^(?:information_schema|performance_schema|sys)$/i;

/** Whether nobody wants to know the names in a text; without a dot, none of them has a schema before it. */
function mayLookQuickly(
  { database }: SessionState,
  routedBy: RoutedBy,
  payload: Uint8Array,
  from: number,
): boolean {
  // Any name may be a table with the server's sessions.
  if (database !== null && serverSchemas.test(database)) return false;
  return routedBy === "nothing" || (routedBy === "names" && payload.indexOf(DOT, from) < 0);
}

function decideAnew(
  judge: Authorizer,
  identity: Identity,
  state: SessionState,
  { analyzed, context, isPlainListing }: AnalyzedCommand,
  written: Uint8Array,
  routedBy: RoutedBy,
): Decision {
  const { statements, parameterCount } = analyzed;
  const permits = permitAllOf(judge, identity, state, statements);
  if (permits instanceof Refusal) return permits;
  const permit = permits.at(-1);
  assert(permit !== undefined, "a text without any statement");
  const text = statementText(statements, state.database);
  if (judge.enforcing && text.listing !== null && !permit.exempt && !isPlainListing()) return refusedListing;
  const refused = refuseToLie(statements, written);
  if (refused !== null) return refused;
  return {
    kind: "forward",
    permit,
    permits,
    text,
    parameterCount,
    truth: text.asksGateway || namesIdentity(statements) ? { analyzed, context } : null,
    needsReading:
      analyzed.uncertain !== null &&
      context.modes === null &&
      (routedBy !== "nothing" ||
        analyzed.wantsModes === true ||
        (state.reading === null && beyondAscii.test(asLatin1(written))) ||
        mayNameIdentity(asLatin1(written))),
  };
}

const beyondAscii = /[\x80-\xff]/;

function asLatin1(text: Uint8Array): string {
  return Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1");
}

/** Whether nothing of the session but its context, and nothing of the text but its analysis, is asked for. */
function dependsOnTextOnly(statements: readonly StatementSummary[]): boolean {
  return statements.every(({ preparedName, kind }) => preparedName === null && kind !== "SHOW");
}

interface KeptDecision {
  readonly generation: number;
  readonly decision: Decision;
}

/** Decisions live as long as the analysis that they are about, and the identity that they are made for. */
class DecisionCache {
  readonly #kept = new WeakMap<readonly StatementSummary[], WeakMap<Identity, KeptDecision>>();

  find(statements: readonly StatementSummary[], identity: Identity, generation: number): Decision | null {
    const kept = this.#kept.get(statements)?.get(identity);
    return kept !== undefined && kept.generation === generation ? kept.decision : null;
  }

  keep(
    statements: readonly StatementSummary[],
    identity: Identity,
    generation: number,
    decision: Decision,
  ): void {
    let byIdentity = this.#kept.get(statements);
    if (byIdentity === undefined) {
      byIdentity = new WeakMap();
      this.#kept.set(statements, byIdentity);
    }
    byIdentity.set(identity, { generation, decision });
  }
}

class Refusal {
  readonly kind = "refuse";
  readonly error: SqlError;
  readonly statementKind: string;

  constructor(error: SqlError, statementKind: string) {
    this.error = error;
    this.statementKind = statementKind;
  }
}

const refusedListing = new Refusal(
  sqlError("ER_NOT_SUPPORTED_YET", {
    feature: "a condition of SHOW other than columns compared with strings",
  }),
  "SHOW",
);

/** What nobody may run, since the server would do it for its service account: say who one is, or change the account. */
function refuseToLie(statements: readonly StatementSummary[], written: Uint8Array): Refusal | null {
  const carrier = statements.find(carriesOwnShow);
  if (carrier !== undefined)
    return refusedFeature(`SHOW ${carrier.subject} inside another statement`, carrier);
  const own = statements.find(({ ownAccount }) => ownAccount);
  if (own !== undefined) return new Refusal(accountsDenial(own, "CREATE USER"), own.kind);
  if (tellsBehindChange(statements) && !readsAlike.test(asLatin1(written)))
    return refusedFeature("USER() and the like behind a change of sql_mode in one text", statements[0]);
  const untellable = untellableIdentity(statements);
  if (untellable === null) return null;
  return refusedFeature(`${untellable}: the server does not know the gateway's users`, statements[0]);
}

/** A text that every sql_mode and character set reads the same. */
const readsAlike = /^[^\\"\x80-\xff]*$/;

/** Whether something is to be put into a text of which an earlier statement changes how the rest is read. */
function tellsBehindChange(statements: readonly StatementSummary[]): boolean {
  const changes = statements.findIndex(
    ({ effects }) => effects.sqlMode !== null || effects.characterSet !== null,
  );
  const behind = changes < 0 ? [] : statements.slice(changes + 1);
  return namesIdentity(behind) || behind.some(({ ownShow }) => ownShow !== null);
}

function refusedFeature(feature: string, statement: StatementSummary | undefined): Refusal {
  return new Refusal(sqlError("ER_NOT_SUPPORTED_YET", { feature }), statement?.kind ?? "UNKNOWN");
}

/** Judges every statement before any of them runs; the first refusal counts. */
function permitAllOf(
  judge: Authorizer,
  identity: Identity,
  state: SessionState,
  statements: readonly StatementSummary[],
): Permit[] | Refusal {
  const permits: Permit[] = [];
  const preparedHere = new Set<string>();
  for (const statement of statements) {
    const { kind, preparedName } = statement;
    const isKnown =
      preparedName !== null &&
      (preparedHere.has(preparedName) || state.sqlPrepared.candidates(preparedName).length > 0);
    // What a HANDLER has opened is judged in its place.
    const named =
      isKnown && kind === "HANDLER" && usesName(statement) ? { ...statement, reads: [] } : statement;
    const verdict = judge.authorize(identity, named);
    if (verdict instanceof SqlError) return new Refusal(verdict, kind);
    permits.push(verdict);
    if (preparedName === null) continue;
    if (makesName(statement)) preparedHere.add(preparedName);
    else if (usesName(statement) && !preparedHere.has(preparedName)) {
      const refused = judgeAgain(judge, identity, state, preparedName, permits);
      if (refused !== null) return new Refusal(refused, kind);
    }
  }
  if (!judge.enforcing) return permits;
  const answered = statements.find((statement) => listingOf(statement) !== null);
  if (answered !== undefined && statements.length > 1) {
    const feature = `SHOW ${answered.subject} together with other statements`;
    return new Refusal(sqlError("ER_NOT_SUPPORTED_YET", { feature }), answered.kind);
  }
  if (preparedHere.size > 0 && state.sqlPrepared.full)
    return new Refusal(sqlError("ER_MAX_PREPARED_STMT_COUNT_REACHED", { limit: sqlPreparedMax }), "PREPARE");
  return permits;
}

/** What SQL's PREPARE was permitted may have been taken away since. */
function judgeAgain(
  judge: Authorizer,
  identity: Identity,
  state: SessionState,
  name: string,
  permits: Permit[],
): SqlError | null {
  // A name that was never prepared is the server's to complain about.
  for (const prepared of state.sqlPrepared.candidates(name)) {
    const verdict = judge.authorize(identity, prepared);
    if (verdict instanceof SqlError) return verdict;
    permits.push(verdict);
    if (judge.enforcing && !verdict.exempt && state.sqlPrepared.isReadOtherwise(name, state.reading))
      return readOtherwiseError();
  }
  if (!judge.enforcing || !state.sqlPrepared.isLost(name)) return null;
  return sqlError("ER_NOT_SUPPORTED_YET", { feature: `EXECUTE of '${name}', prepared too often` });
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
  const decision: Decision = {
    kind: "forward",
    permit,
    permits: [permit],
    text,
    parameterCount: 0,
    truth: null,
    needsReading: false,
  };
  const decisions = plainDecisions.get(judge) ?? new Map<StatementText, Decision>();
  plainDecisions.set(judge, decisions.set(text, decision));
  return decision;
}
