// Statements about the session itself: USE, transactions, prepared statements, KILL
// (https://dev.mysql.com/doc/refman/8.4/en/sql-transactional-statements.html, .../sql-prepared-statements.html).

import type { Analysis } from "./analysis.ts";
import { bytesAt } from "./data-statements.ts";
import { expression } from "./expressions.ts";
import { parseKill } from "./kill.ts";
import { readingTraitsOf } from "./reading-traits.ts";
import type { Scope } from "./scope.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** USE schema, or a target: `shop@replica`. */
export function use(a: Analysis, start: number, end: number): string {
  if (!a.isName(start + 1)) notUnderstood(`a schema is expected ${a.near(start + 1)}`);
  let name = a.nameAt(start + 1);
  let at = start + 2;
  if (at < end && a.kind(at) === TokenKind.variable && a.tokens.start(at) === a.tokens.end(start + 1)) {
    name += a.tokens.slice(at);
    at += 1;
  }
  a.finishAt(at, end);
  a.draft.effects.any = true;
  a.draft.effects.use = name;
  return "USE";
}

const transactionWords = wordSet("WORK AND NO CHAIN RELEASE");

/** BEGIN [WORK]. */
export function begin(a: Analysis, start: number, end: number): string {
  a.finishAt(a.word(start + 1) === "WORK" ? start + 2 : start + 1, end);
  a.draft.effects.transaction = "begins";
  return "BEGIN";
}

/** START TRANSACTION [..]; START REPLICA and the like are the server's. */
export function start(a: Analysis, at: number, end: number): string {
  if (a.word(at + 1) !== "TRANSACTION") return "START";
  for (let index = at + 2; index < end; index += 1) {
    if (a.kind(index) !== TokenKind.word && a.word(index) !== ",")
      notUnderstood(`something unexpected stands ${a.near(index)}`);
  }
  a.draft.effects.transaction = "begins";
  return "BEGIN";
}

/** COMMIT and ROLLBACK, the latter also to a savepoint. */
export function endTransaction(a: Analysis, start: number, end: number): string {
  const kind = a.word(start);
  let at = start + 1;
  while (at < end && transactionWords.has(a.word(at))) at += 1;
  if (kind === "ROLLBACK" && a.word(at) === "TO") {
    at += a.word(at + 1) === "SAVEPOINT" ? 2 : 1;
    a.draft.effects.transaction = "savepoint";
    a.finishAt(at + 1, end);
    return kind;
  }
  if (at > start + 1 && a.word(at - 1) === "RELEASE" && a.word(at - 2) !== "NO")
    a.draft.pin("the connection ends");
  a.finishAt(at, end);
  a.draft.effects.transaction = "ends";
  return kind;
}

/** SAVEPOINT s, RELEASE SAVEPOINT s. */
export function savepoint(a: Analysis, start: number, end: number): string {
  const kind = a.word(start);
  const at = kind === "RELEASE" ? a.expect(start + 1, end, "SAVEPOINT") : start + 1;
  if (!a.isName(at)) notUnderstood(`a savepoint is expected ${a.near(at)}`);
  a.finishAt(at + 1, end);
  a.draft.effects.transaction = "savepoint";
  return kind;
}

/** XA ..: the kind has the second word. */
export function xa(a: Analysis, start: number, _end: number): string {
  a.draft.effects.transaction = "xa";
  a.draft.pin("an XA transaction");
  const word = a.word(start + 1);
  return xaWords.has(word)
    ? `XA ${word}`
    : notUnderstood(`a form of XA that is unknown ${a.near(start + 1)}`);
}

const xaWords = wordSet("START BEGIN END PREPARE COMMIT ROLLBACK RECOVER");

/** KILL, answered by the gateway. */
export function kill(a: Analysis, start: number, end: number, scope: Scope): string {
  a.draft.kill = parseKill(a.tokens, start + 1, end);
  expression(a, start + 1, end, scope);
  return "KILL";
}

function statementName(a: Analysis, at: number): string {
  return a.isName(at) ? a.nameAt(at).toLowerCase() : notUnderstood(`a name is expected ${a.near(at)}`);
}

/** PREPARE s FROM 'text'. */
export function prepare(a: Analysis, start: number, end: number): string {
  a.draft.preparedName = statementName(a, start + 1);
  a.draft.pin("a prepared statement");
  const at = a.expect(start + 2, end, "FROM");
  if (a.kind(at) !== TokenKind.string || at + 1 !== end) {
    notSupported("PREPARE of a text that is not one literal");
  }
  a.draft.preparedTraits |= readingTraitsOf(bytesAt(a, at));
  nested(a, at);
  const { effects, kill: killed } = a.draft;
  if (killed !== null) a.draft.kill = { scope: killed.scope, id: null };
  if (effects.sqlMode !== null || effects.characterSet !== null || effects.use !== null) {
    notSupported("PREPARE of a statement that changes how later text is read");
  }
  effects.transaction = null;
  effects.autocommit = null;
  a.draft.loadLocalFile = null;
  return "PREPARE";
}

/** EXECUTE s [USING ..]; MariaDB's EXECUTE IMMEDIATE 'text' [USING ..]. */
export function execute(a: Analysis, start: number, end: number, scope: Scope): string {
  if (a.word(start + 1) !== "IMMEDIATE") {
    a.draft.preparedName = statementName(a, start + 1);
    a.draft.pin("a prepared statement ran");
    if (start + 2 < end) expression(a, a.expect(start + 2, end, "USING"), end, scope);
    return "EXECUTE";
  }
  const at = start + 2;
  const isOne = a.kind(at) === TokenKind.string && (at + 1 === end || a.word(at + 1) === "USING");
  if (!isOne) notSupported("EXECUTE IMMEDIATE of a text that is not one literal");
  nested(a, at);
  if (a.draft.kill !== null) a.draft.kill = { scope: a.draft.kill.scope, id: null };
  if (at + 1 < end) expression(a, at + 2, end, scope);
  return "EXECUTE IMMEDIATE";
}

/** The statement in the string at `at`. Places in it are not the text's: identity functions get those of the string. */
function nested(a: Analysis, at: number): void {
  const known = a.draft.identityTokens.length;
  const items = a.draft.unnamedItems.length;
  try {
    a.draft.carry(a.grammar.nestedText(a, bytesAt(a, at)));
  } finally {
    // Also where it was not understood to its end: what was found is put right all the same.
    placeInLiteral(a, at, known);
    a.draft.unnamedItems.length = items;
    a.draft.ownShow = null;
  }
}

function placeInLiteral(a: Analysis, at: number, known: number): void {
  for (let index = known; index < a.draft.identityTokens.length; index += 1) {
    const token = a.draft.identityTokens[index];
    if (token === undefined) continue;
    a.draft.identityTokens[index] = {
      ...token,
      start: a.tokens.start(at),
      end: a.tokens.end(at),
      place: token.place === "stored" ? "stored" : "literal",
    };
  }
}

/** DEALLOCATE PREPARE s, DROP PREPARE s. */
export function deallocate(a: Analysis, start: number, end: number): string {
  const at = a.expect(start + 1, end, "PREPARE");
  a.draft.preparedName = statementName(a, at);
  a.draft.effects.any = true;
  a.finishAt(at + 1, end);
  return "DEALLOCATE";
}
