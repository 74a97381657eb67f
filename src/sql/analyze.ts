// analyzeText(): what a text is and touches. Every statement in it is read by the table of heads; what cannot be proven is
// uncertain, with a reason. Linear in the text, bounded in depth, never throws, keeps no text.

import { Analysis, type Grammar } from "./analysis.ts";
import type { AnalysisContext, AnalyzedText } from "./analyzed-text.ts";
import { beginsCompound, bodyStatement } from "./compound.ts";
import { crossCheck } from "./cross-check.ts";
import { define } from "./ddl.ts";
import { defaultReadingModes, isUnsafe, type LexOptions, type ReadingModes } from "./dialect.ts";
import { Draft } from "./draft.ts";
import { noteHints } from "./hints.ts";
import { skimIdentity } from "./identity-tokens.ts";
import { killOf, killOfUnknown } from "./kill.ts";
import { lex } from "./lexer.ts";
import { query } from "./query.ts";
import { readsPreparedTexts } from "./set.ts";
import { statement, statementHeads } from "./statement-heads.ts";
import type { KillRequest, StatementSummary, Uncertainty } from "./statement-summary.ts";
import type { Tokens } from "./tokens.ts";
import { notSupported, notUnderstood, Refused } from "./uncertain.ts";
import { coverWide, isWide } from "./wide-characters.ts";
import { wordSet } from "./words.ts";

const grammar: Grammar = { query, statement, nestedText };

/** Analyses a text as it came from the client. */
export function analyzeText(text: Uint8Array, context: AnalysisContext): AnalyzedText {
  return analyzeBytes(Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1"), context);
}

/** The same for a text with one character a byte. */
export function analyzeBytes(text: string, context: AnalysisContext): AnalyzedText {
  return guarded(text, () => analyzeAllModes(text, context));
}

function guarded(text: string, analyze: () => AnalyzedText): AnalyzedText {
  try {
    return withRecording(text, analyze());
  } catch (error) {
    // A fault of ours: refused like anything that is not understood, and a KILL may hide in it.
    const kill = /kill/i.test(text) ? killOfUnknown : null;
    return refusedText(0, kill, uncertaintyOf(error));
  }
}

/** What is not understood may turn the recording of statements on as well as anything. */
function withRecording(text: string, analyzed: AnalyzedText): AnalyzedText {
  const [first, ...others] = analyzed.statements;
  if (analyzed.uncertain === null || first === undefined || !/profiling|optimizer_trace/i.test(text))
    return analyzed;
  const assigns = [...first.assigns, { scope: "session", name: "profiling" } as const];
  return { ...analyzed, statements: [{ ...first, assigns }, ...others] };
}

function analyzeAllModes(text: string, context: AnalysisContext): AnalyzedText {
  if (context.modes !== null) return analyzeInModes(text, context, context.modes);
  const readings = possibleModes(text).map((modes) => analyzeInModes(text, context, modes));
  const [first, ...others] = readings;
  if (first === undefined) return analyzeInModes(text, context, defaultReadingModes);
  const meaning = JSON.stringify(first);
  if (others.every((other) => JSON.stringify(other) === meaning)) return first;
  const kill =
    readings.flatMap((reading) => reading.statements).find((one) => one.kill !== null)?.kill ?? null;
  const refused = refusedText(first.parameterCount, kill, {
    symbol: "ER_NOT_SUPPORTED_YET",
    reason: "a text whose meaning depends on an sql_mode that is not known",
  });
  return { ...refused, wantsModes: true };
}

/** All readings that could differ: quotes and backslashes only matter where there are some. */
function possibleModes(text: string): ReadingModes[] {
  const quotes = text.includes('"') ? [false, true] : [false];
  const escapes = text.includes("\\") ? [false, true] : [false];
  // With a space behind them these are built in under IGNORE_SPACE only, which many clients ask for.
  const spaces = /(?:session|system)_user(?!\()/i.test(text) ? [false, true] : [false];
  return quotes.flatMap((ansiQuotes) =>
    escapes.flatMap((noBackslashEscapes) =>
      spaces.map((ignoreSpace) => ({ ...defaultReadingModes, ansiQuotes, noBackslashEscapes, ignoreSpace })),
    ),
  );
}

function lexOptionsOf(context: AnalysisContext, modes: ReadingModes): LexOptions {
  const { flavour, version, characterSet } = context;
  return {
    ansiQuotes: modes.ansiQuotes,
    noBackslashEscapes: modes.noBackslashEscapes,
    flavour,
    version,
    characterSet,
  };
}

/** Reads a text as one set of modes has it. */
export function lexInContext(text: string, context: AnalysisContext, modes: ReadingModes): Tokens {
  return lex(text, lexOptionsOf(context, modes));
}

/** The same as `analyzeBytes` for a text that may have been read already, in the context's modes. */
export function analyzeTokens(text: string, context: AnalysisContext, tokens: Tokens | null): AnalyzedText {
  const { modes } = context;
  if (tokens === null || modes === null) return analyzeBytes(text, context);
  return guarded(text, () => analyzeRead(tokens, context, modes));
}

function analyzeInModes(text: string, context: AnalysisContext, modes: ReadingModes): AnalyzedText {
  const tokens = lexInContext(text, context, modes);
  try {
    return analyzeRead(tokens, context, modes);
  } finally {
    tokens.release();
  }
}

function analyzeRead(tokens: Tokens, context: AnalysisContext, modes: ReadingModes): AnalyzedText {
  const kill = killOf(tokens, modes.noBackslashEscapes);
  const { parameterCount } = tokens;
  const refusal = tokens.refusal ?? tokens.matchParentheses();
  if (refusal !== null) {
    const reason = `${refusal.reason} at byte ${refusal.offset}`;
    const refused = refusedText(parameterCount, kill, { symbol: "ER_PARSE_ERROR", reason });
    return withCovered(refused, tokens.text, context, modes);
  }
  if (modes.oracle) {
    return refusedText(parameterCount, kill, {
      symbol: "ER_NOT_SUPPORTED_YET",
      reason: "sql_mode ORACLE or MSSQL",
    });
  }
  if (tooManyStatements(tokens)) {
    return refusedText(parameterCount, kill, {
      symbol: "ER_NOT_SUPPORTED_YET",
      reason: "too many statements in one text",
    });
  }
  const statements = withKill(readStatements(tokens, context, modes), kill);
  const uncertain = statements.find((one) => one.uncertain !== null)?.uncertain ?? null;
  return { statements, parameterCount, uncertain, executableParts: tokens.executableParts };
}

/** A summary costs more memory than the shortest statement: their number is bounded. */
const semicolonsMax = 20_000;

function tooManyStatements(tokens: Tokens): boolean {
  let semicolons = 0;
  for (let index = 0; index < tokens.count; index += 1) {
    if (tokens.word(index) === ";") semicolons += 1;
    if (semicolons > semicolonsMax) return true;
  }
  return false;
}

/**
 * One analysis of two of the same text, made for two servers either of which may get it: the first, if they mean the
 * same, else one that is uncertain.
 */
export function agreeingAnalysis(first: AnalyzedText, second: AnalyzedText): AnalyzedText {
  if (first === second || JSON.stringify(first.statements) === JSON.stringify(second.statements))
    return first;
  const kills = [...first.statements, ...second.statements].map(({ kill }) => kill);
  return refusedText(first.parameterCount, kills.find((kill) => kill !== null) ?? null, {
    symbol: "ER_NOT_SUPPORTED_YET",
    reason: "the servers that may get it are of versions that read it differently",
  });
}

function refusedText(parameterCount: number, kill: KillRequest | null, uncertain: Uncertainty): AnalyzedText {
  const draft = new Draft();
  draft.kill = kill;
  draft.pin("a statement that was not understood");
  return { statements: [draft.finish("UNKNOWN", uncertain)], parameterCount, uncertain, executableParts: [] };
}

/** What tells of the session's identity in a text of wide characters, though nothing in it is certain. */
function withCovered(
  refused: AnalyzedText,
  text: string,
  context: AnalysisContext,
  modes: ReadingModes,
): AnalyzedText {
  const { characterSet } = context;
  const [only] = refused.statements;
  if (!isWide(characterSet) || only === undefined) return refused;
  const covered = coverWide(text, characterSet);
  const { statements, executableParts } = analyzeInModes(
    covered,
    { ...context, characterSet: "utf8" },
    modes,
  );
  const summary: StatementSummary = {
    ...only,
    identityTokens: statements.flatMap((one) => one.identityTokens),
    // A backtick may be half a character.
    unnamedItems: statements.flatMap((one) =>
      one.unnamedItems.filter(({ start, end }) => !/[^\0-\x7f]`/.test(text.slice(start, end))),
    ),
  };
  return { ...refused, statements: [summary], executableParts };
}

/** A KILL that no statement was read as still must not pass: the first statement carries it. */
function withKill(
  statements: readonly StatementSummary[],
  kill: KillRequest | null,
): readonly StatementSummary[] {
  const [first, ...others] = statements;
  if (kill === null || first === undefined || statements.some((one) => one.kill !== null)) return statements;
  return [{ ...first, kill: { scope: kill.scope, id: null } }, ...others];
}

/** Every statement of the text, one after the other. */
function readStatements(tokens: Tokens, context: AnalysisContext, modes: ReadingModes): StatementSummary[] {
  const statements: StatementSummary[] = [];
  let within = context;
  let end = tokens.count;
  // Servers take away what is empty at the end.
  while (end > 0 && tokens.word(end - 1) === ";") end -= 1;
  let at = 0;
  do {
    const read = readStatement(tokens, within, modes, at, end);
    const isLast = read.next >= end;
    statements.push(isLast ? read.summary : asNotLast(read.summary));
    const { use } = read.summary.effects;
    // Names behind a USE are of that schema; the tablet type of a target is no part of it.
    if (use !== null) within = { ...within, defaultSchema: use.replace(targetSuffix, "") };
    at = read.next + 1;
  } while (at < end);
  return statements;
}

const targetSuffix = /@(primary|master|replica|rdonly)$/i;

/** A statement that changes how the text behind it is read cannot stand before another one. */
function asNotLast(summary: StatementSummary): StatementSummary {
  if (summary.uncertain !== null || !changesReading(summary)) return summary;
  const reason = "several statements of which an earlier one changes how the later ones are read";
  return { ...summary, readOnly: false, uncertain: { symbol: "ER_NOT_SUPPORTED_YET", reason } };
}

function changesReading({ effects, assigns }: StatementSummary): boolean {
  if (effects.sqlMode !== null || effects.characterSet !== null) return true;
  return assigns.some(({ name }) => readsPreparedTexts(name));
}

const readLater: ReadonlySet<string> = new Set(["PREPARE", "EXECUTE", "EXECUTE IMMEDIATE"]);

/** Texts that a body prepares or executes are read when it comes to them: nothing in it may change how. */
function readsTextsOtherwise(summary: StatementSummary): boolean {
  const kinds = [summary.kind, ...summary.innerKinds];
  return kinds.includes("COMPOUND") && kinds.some((kind) => readLater.has(kind)) && changesReading(summary);
}

/** One statement from `start` on, and the position of its semicolon. */
function readStatement(
  tokens: Tokens,
  context: AnalysisContext,
  modes: ReadingModes,
  start: number,
  end: number,
): { summary: StatementSummary; next: number } {
  const a = new Analysis(tokens, context, modes, grammar);
  const hasBody = beginsCompound(a, start) || definesBody(a, start, end);
  // Bodies have semicolons of their own: until one is read, nobody knows where it ends.
  let next = hasBody || definesPackage(a, start) ? end : semicolonFrom(tokens, start, end);
  try {
    let kind: string;
    if (hasBody) {
      const read = statementWithBody(a, start, end);
      kind = read.kind;
      if (read.next < end && tokens.word(read.next) !== ";")
        notUnderstood(`a body does not end ${a.near(read.next)}`);
      next = read.next;
    } else kind = statement(a, start, next, null);
    noteHints(a, start, next);
    const summary = a.draft.finish(kind, null);
    if (readsTextsOtherwise(summary)) notSupported("dynamic SQL beside a change of how texts are read");
    const doubt = crossCheck(tokens, start, next, summary);
    if (doubt !== null) notSupported(doubt);
    return { summary, next };
  } catch (error) {
    a.draft.pin("a statement that was not understood");
    const head = tokens.word(start);
    const kind = statementHeads.includes(head) && head !== "(" ? head : "UNKNOWN";
    skimIdentity(a, start, next);
    return { summary: a.draft.finish(kind, uncertaintyOf(error)), next };
  }
}

function uncertaintyOf(error: unknown): Uncertainty {
  if (error instanceof Refused) return error.uncertainty;
  return { symbol: "ER_NOT_SUPPORTED_YET", reason: "a statement that the analysis failed on" };
}

function statementWithBody(a: Analysis, start: number, end: number): { kind: string; next: number } {
  if (beginsCompound(a, start)) {
    const next = bodyStatement(a, start, end, null);
    // Whether a SET in it runs is not known.
    const { effects } = a.draft;
    if (effects.sqlMode !== null) effects.sqlMode = { value: null };
    if (effects.characterSet !== null) effects.characterSet = { value: null };
    if (effects.autocommit !== null) a.draft.pin("autocommit set to something");
    effects.autocommit = null;
    return { kind: "COMPOUND", next };
  }
  let next = -1;
  const kind = define(a, start, end, null, (position) => {
    next = position;
  });
  if (next < 0) notUnderstood(`a body is expected ${a.near(start)}`);
  return { kind, next };
}

function preparedBody(a: Analysis, end: number): string {
  if (a.depth >= bodiesMax) notUnderstood("too many statements inside statements");
  a.depth += 1;
  const { kind, next } = statementWithBody(a, 0, end);
  a.depth -= 1;
  if (next < end) notSupported("several statements in a prepared text");
  return kind;
}

/** Prepared texts in bodies in prepared texts are bounded. */
const bodiesMax = 12;

const bodyObjects = wordSet("TRIGGER PROCEDURE FUNCTION EVENT");
const otherObjects = wordSet("TABLE VIEW INDEX USER DATABASE SCHEMA ROLE SERVER SEQUENCE PACKAGE ;");

/** CREATE of a trigger, routine or event, and ALTER EVENT: what they define has a body. */
function definesBody(a: Analysis, start: number, end: number): boolean {
  const verb = a.word(start);
  if (verb !== "CREATE" && verb !== "ALTER") return false;
  for (let at = start + 1; at < Math.min(end, start + 24); at += 1) {
    const word = a.word(at);
    if (bodyObjects.has(word)) return verb === "CREATE" || word === "EVENT";
    if (otherObjects.has(word)) return false;
  }
  return false;
}

/** CREATE PACKAGE [BODY]: for administrators only, so nobody looks for its end: everything behind counts as a part of it. */
function definesPackage(a: Analysis, start: number): boolean {
  if (a.word(start) !== "CREATE") return false;
  const at = a.isPhrase(start + 1, "OR", "REPLACE") ? start + 3 : start + 1;
  return a.word(at) === "PACKAGE" || (a.isPhrase(at, "DEFINER", "=") && packageBehindDefiner(a, at + 2));
}

function packageBehindDefiner(a: Analysis, start: number): boolean {
  for (let at = start; at < start + 6; at += 1) if (a.word(at) === "PACKAGE") return true;
  return false;
}

function semicolonFrom(tokens: Tokens, start: number, end: number): number {
  let at = start;
  while (at < end && tokens.word(at) !== ";") at += 1;
  return at;
}

/** The text of PREPARE and EXECUTE IMMEDIATE: one statement. */
function nestedText(outer: Analysis, text: string): string {
  const { context, modes } = outer;
  const tokens = lexInContext(text, context, modes);
  try {
    const kind = preparedStatement(outer, tokens);
    // Servers read it in the character set of the connection, which may be another one.
    if (context.characterSet !== "utf8" && /[^\0-\x7f]/.test(text))
      notSupported("a prepared text that is not ASCII");
    // MariaDB makes a full-width character of sjis's backslash (measured).
    if (isUnsafe(context.characterSet) && /[\\~]/.test(text))
      notSupported("a prepared text with a backslash, which may become another character");
    return kind;
  } finally {
    tokens.release();
  }
}

function preparedStatement(outer: Analysis, tokens: Tokens): string {
  const { context, modes, draft } = outer;
  const refusal = tokens.refusal ?? tokens.matchParentheses();
  if (refusal !== null) notUnderstood(`the prepared text has ${refusal.reason}`);
  let end = tokens.count;
  while (end > 0 && tokens.word(end - 1) === ";") end -= 1;
  if (end === 0) notUnderstood("the prepared text is empty");
  const inner = new Analysis(tokens, context, modes, grammar, draft);
  inner.depth = outer.depth;
  const hasBody = beginsCompound(inner, 0) || definesBody(inner, 0, end);
  if (!hasBody && semicolonFrom(tokens, 0, end) < end) notSupported("several statements in a prepared text");
  const kind = hasBody ? preparedBody(inner, end) : statement(inner, 0, end, null);
  noteHints(inner, 0, end);
  return kind;
}
