// Bodies: what triggers, procedures, functions and events run, and MariaDB's statements of that kind outside of them.
// Parsed block by block; a simple statement ends at the next semicolon
// (https://dev.mysql.com/doc/refman/8.4/en/sql-compound-statements.html).

import type { Analysis } from "./analysis.ts";
import { expression } from "./expressions.ts";
import type { Scope } from "./scope.ts";
import { TokenKind } from "./tokens.ts";
import { notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** Words with which a compound statement begins; BEGIN is a transaction outside of bodies. */
const blockWords = wordSet("IF CASE LOOP REPEAT WHILE FOR");

/** Blocks in blocks are bounded: each costs some frames of the stack. */
const blocksMax = 60;

/** Whether a compound statement begins at `at` outside of a body (MariaDB). */
export function beginsCompound(a: Analysis, at: number): boolean {
  if (!a.isMariaDb()) return false;
  if (a.word(at) === "BEGIN") return a.word(at + 1) === "NOT" && a.word(at + 2) === "ATOMIC";
  return (blockWords.has(a.word(at)) && a.word(at + 1) !== ".") || isLabel(a, at);
}

function isLabel(a: Analysis, at: number): boolean {
  return a.isName(at) && a.word(at + 1) === ":" && a.word(at + 2) !== "=";
}

/** A statement of a body: compound or simple. Returns the position after it, its semicolon not included. */
export function bodyStatement(a: Analysis, start: number, end: number, scope: Scope, depth = 0): number {
  if (depth > blocksMax) notUnderstood("too many nested blocks");
  let at = start;
  const labelled = isLabel(a, at);
  if (labelled) at += 2;
  if (a.word(at) === "BEGIN" || blockWords.has(a.word(at))) a.draft.carry("COMPOUND");
  const after = block(a, at, end, scope, depth);
  if (after === at)
    return labelled ? notUnderstood(`a block is expected ${a.near(at)}`) : simple(a, at, end, scope);
  // The label again.
  return labelled && after < end && a.isName(after) ? after + 1 : after;
}

/** A block; returns `at` where none begins. */
function block(a: Analysis, at: number, end: number, scope: Scope, depth: number): number {
  switch (a.word(at)) {
    case "BEGIN":
      return beginEnd(a, at, end, scope, depth);
    case "IF":
      return ifBlock(a, at, end, scope, depth);
    case "CASE":
      return caseBlock(a, at, end, scope, depth);
    case "LOOP": {
      const stop = statements(a, at + 1, end, scope, depth, loopEnd);
      return a.expect(stop, end, "END", "LOOP");
    }
    case "REPEAT": {
      const until = statements(a, at + 1, end, scope, depth, untilWord);
      const stop = condition(a, until + 1, end, scope, "END");
      return a.expect(stop, end, "END", "REPEAT");
    }
    case "WHILE": {
      const body = condition(a, at + 1, end, scope, "DO");
      return a.expect(statements(a, body + 1, end, scope, depth, loopEnd), end, "END", "WHILE");
    }
    case "FOR":
      return forBlock(a, at, end, scope, depth);
    default:
      return at;
  }
}

const loopEnd = wordSet("END");
const untilWord = wordSet("UNTIL");
const ifEnds = wordSet("ELSEIF ELSE END");
const caseEnds = wordSet("WHEN ELSE END");
const beginEnds = wordSet("END EXCEPTION");

function beginEnd(a: Analysis, start: number, end: number, scope: Scope, depth: number): number {
  let at = start + 1;
  if (a.isPhrase(at, "NOT", "ATOMIC")) at += 2;
  const outer = a.locals;
  at = statements(a, at, end, scope, depth, beginEnds);
  a.locals = outer;
  return a.expect(at, end, "END");
}

/** Statements with their semicolons, up to one of `ends`; returns its position. */
function statements(
  a: Analysis,
  start: number,
  end: number,
  scope: Scope,
  depth: number,
  ends: ReadonlySet<string>,
): number {
  let at = start;
  while (at < end) {
    if (ends.has(a.word(at)) && !isLabel(a, at)) return at;
    at =
      a.word(at) === "DECLARE"
        ? declare(a, at, end, scope, depth)
        : bodyStatement(a, at, end, scope, depth + 1);
    at = a.expect(at, end, ";");
  }
  return notUnderstood("a block does not end");
}

/** The expression from `start` up to `stop`, which does not count inside CASE .. END; returns its position. */
function condition(a: Analysis, start: number, end: number, scope: Scope, stop: string): number {
  let cases = 0;
  let at = start;
  for (; at < end; at = a.skip(at)) {
    const word = a.word(at);
    if (word === ";") break;
    if (cases === 0 && word === stop) {
      expression(a, start, at, scope);
      return at;
    }
    if (word === "CASE") cases += 1;
    else if (word === "END") cases -= 1;
  }
  return notUnderstood(`${stop} is expected ${a.near(at)}`);
}

function ifBlock(a: Analysis, start: number, end: number, scope: Scope, depth: number): number {
  let at = condition(a, start + 1, end, scope, "THEN");
  for (;;) {
    at = statements(a, at + 1, end, scope, depth, ifEnds);
    if (a.word(at) === "END") return a.expect(at, end, "END", "IF");
    if (a.word(at) === "ELSEIF") at = condition(a, at + 1, end, scope, "THEN");
  }
}

function caseBlock(a: Analysis, start: number, end: number, scope: Scope, depth: number): number {
  let at = a.word(start + 1) === "WHEN" ? start + 1 : condition(a, start + 1, end, scope, "WHEN");
  for (;;) {
    if (a.word(at) === "WHEN") at = condition(a, at + 1, end, scope, "THEN");
    at = statements(a, at + 1, end, scope, depth, caseEnds);
    if (a.word(at) === "END") return a.expect(at, end, "END", "CASE");
  }
}

/** MariaDB's FOR i IN 1..n DO, FOR row IN cursor | (query) DO. */
function forBlock(a: Analysis, start: number, end: number, scope: Scope, depth: number): number {
  if (!a.isMariaDb() || !a.isName(start + 1)) notUnderstood(`a variable is expected ${a.near(start + 1)}`);
  const outer = a.locals;
  a.locals = new Set([...outer, a.nameAt(start + 1).toLowerCase()]);
  let at = a.expect(start + 2, end, "IN");
  if (a.word(at) === "REVERSE") at += 1;
  // A cursor with parameters is no call.
  const isCursor = a.isName(at) && a.word(at + 1) === "(" && a.locals.has(cursorKey(a.nameAt(at)));
  const body = condition(a, isCursor ? at + 1 : at, end, scope, "DO");
  at = a.expect(statements(a, body + 1, end, scope, depth, loopEnd), end, "END", "FOR");
  a.locals = outer;
  return at;
}

/** DECLARE of variables, a condition, a cursor, a handler. */
function declare(a: Analysis, start: number, end: number, scope: Scope, depth: number): number {
  let at = start + 1;
  if (a.word(at) === "CONTINUE" || a.word(at) === "EXIT" || a.word(at) === "UNDO") {
    at = a.expect(at + 1, end, "HANDLER", "FOR");
    return bodyStatement(a, handledConditions(a, at, end), end, scope, depth + 1);
  }
  const stop = semicolon(a, start, end);
  const locals = new Set(a.locals);
  if (a.word(at + 1) === "CURSOR") {
    cursor(a, at + 2, stop, scope);
    a.locals = locals.add(cursorKey(a.nameAt(at)));
    return stop;
  }
  while (a.isName(at)) {
    locals.add(a.nameAt(at).toLowerCase());
    if (a.word(at + 1) !== ",") break;
    at += 2;
  }
  // A type, and perhaps DEFAULT expression.
  let value = at;
  while (value < stop && a.word(value) !== "DEFAULT") value = a.skip(value);
  anchoredTypes(a, at, value);
  if (value < stop) expression(a, value + 1, stop, scope);
  a.locals = locals;
  return stop;
}

/** Cursors stand among the local names, but are no variables: SET of such a name means another one. */
const cursorKey = (name: string): string => `\0${name.toLowerCase()}`;

/**
 * MariaDB's TYPE OF variable, TYPE OF [schema.]table.column, ROW TYPE OF [schema.]table or cursor between `start` and `end`:
 * servers open the table.
 */
export function anchoredTypes(a: Analysis, start: number, end: number): void {
  for (let at = start; at < end; at += 1) {
    if (!a.isPhrase(at, "TYPE", "OF")) continue;
    const parts: string[] = [];
    let next = at + 2;
    for (; a.isIdentifier(next) && next < end; next += 2) {
      parts.push(a.nameAt(next));
      if (a.word(next + 1) !== ".") break;
    }
    if (a.word(at - 1) !== "ROW" && parts.pop() === undefined)
      notUnderstood(`a name is expected ${a.near(next)}`);
    const [name, schema = null] = parts.reverse();
    if (parts.length > 2) notUnderstood(`a name has too many parts ${a.near(next)}`);
    if (name === undefined || (schema === null && a.word(at - 1) === "ROW" && a.locals.has(cursorKey(name))))
      continue;
    a.draft.reads.add(a.tableOf({ schema, name }));
  }
}

/** CURSOR [(parameters)] FOR query; MariaDB also for a prepared statement, which was judged by itself. */
function cursor(a: Analysis, start: number, stop: number, scope: Scope): void {
  const after = a.word(start) === "(" ? a.skipGroup(start) : start;
  anchoredTypes(a, start, after);
  const at = a.expect(after, stop, "FOR");
  if (at + 1 === stop && a.isName(at)) return;
  a.grammar.query(a, at, stop, scope);
}

const conditionWords = wordSet("SQLSTATE VALUE SQLWARNING SQLEXCEPTION NOT FOUND");

/** SQLSTATE '..', 1234, names, with commas between; returns the position of the statement. */
function handledConditions(a: Analysis, start: number, end: number): number {
  let at = start;
  for (;;) {
    if (a.isPhrase(at, "NOT", "FOUND")) at += 2;
    else if (a.word(at) === "SQLSTATE") at += a.word(at + 1) === "VALUE" ? 3 : 2;
    else if (conditionWords.has(a.word(at)) || a.isName(at) || a.word(at) === "") at += 1;
    else notUnderstood(`a condition is expected ${a.near(at)}`);
    if (at >= end || a.word(at) !== ",") return at;
    at += 1;
  }
}

function semicolon(a: Analysis, start: number, end: number): number {
  let at = start;
  while (at < end && a.word(at) !== ";") at = a.skip(at);
  return at;
}

const cursorWords = wordSet("OPEN CLOSE LEAVE ITERATE");

/** A statement without statements in it, up to its semicolon. */
function simple(a: Analysis, start: number, end: number, scope: Scope): number {
  const stop = semicolon(a, start, end);
  const word = a.word(start);
  if (word === "RETURN") expression(a, start + 1, stop, scope);
  else if (cursorWords.has(word)) expression(a, start + 1, stop, scope);
  else if (word === "FETCH") fetch(a, start + 1, stop);
  else a.draft.carry(a.grammar.statement(a, start, stop, scope));
  return stop;
}

/** FETCH [[NEXT] FROM] c INTO a, b: names only. */
function fetch(a: Analysis, start: number, stop: number): void {
  for (let at = start; at < stop; at += 1) {
    const isVariable = a.kind(at) === TokenKind.variable;
    if (isVariable) a.draft.pin("a user variable");
    if (!isVariable && !a.isIdentifier(at) && a.word(at) !== "," && a.word(at) !== ".") {
      notUnderstood(`a variable is expected ${a.near(at)}`);
    }
  }
}
