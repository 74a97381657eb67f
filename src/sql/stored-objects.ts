// Views, triggers, routines, events: what they are named, and what their stored text touches
// (https://dev.mysql.com/doc/refman/8.4/en/create-view.html, .../create-trigger.html, .../create-procedure.html).

import type { Analysis } from "./analysis.ts";
import { anchoredTypes, bodyStatement } from "./compound.ts";
import { skipIf } from "./ddl-tables.ts";
import { query } from "./query.ts";
import type { Scope } from "./scope.ts";
import { TokenKind } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** Runs `read` with what is found marked as stored. */
function inside(a: Analysis, read: () => void): void {
  const outside = a.stored;
  const { locals } = a;
  const effects = { ...a.draft.effects };
  const known = { items: a.draft.unnamedItems.length };
  a.stored = true;
  read();
  a.stored = outside;
  a.locals = locals;
  a.draft.unnamedItems.length = known.items;
  // What a stored text does to a session, it does when it runs.
  Object.assign(a.draft.effects, effects);
  if (a.draft.kill !== null) a.draft.kill = { scope: a.draft.kill.scope, id: null };
}

/** CREATE and ALTER VIEW from behind VIEW; `temptable`: ALGORITHM = TEMPTABLE was given. */
export function view(a: Analysis, start: number, end: number, temptable: boolean, scope: Scope): void {
  a.draft.effects.transaction = "commits";
  let at = a.table(skipIf(a, start), end, "changes");
  if (a.word(at) === "(") at = a.skipGroup(at);
  at = a.expect(at, end, "AS");
  const stop = checkOption(a, at, end);
  a.draft.updatableView = !temptable && !isFixed(a, at, stop);
  inside(a, () => query(a, at, stop, scope));
}

/** Where WITH [CASCADED | LOCAL] CHECK OPTION begins, or the end. */
function checkOption(a: Analysis, start: number, end: number): number {
  if (!a.isPhrase(end - 2, "CHECK", "OPTION")) return end;
  const scoped = a.word(end - 3) === "CASCADED" || a.word(end - 3) === "LOCAL";
  const at = scoped ? end - 4 : end - 3;
  return at > start && a.word(at) === "WITH" ? at : notUnderstood(`WITH is expected ${a.near(at)}`);
}

/** Whether no row can be changed through the query: a set operator, DISTINCT or GROUP BY at its top. */
function isFixed(a: Analysis, start: number, end: number): boolean {
  if (a.word(start) !== "SELECT") return false;
  if (a.word(start + 1) === "DISTINCT") return true;
  for (let at = start; at < end; at = a.skip(at)) {
    // After a dot it is a column's name.
    const word = a.word(at - 1) === "." ? "" : a.word(at);
    if (word === "UNION" || word === "EXCEPT" || word === "INTERSECT" || a.isPhrase(at, "GROUP", "BY"))
      return true;
  }
  return false;
}

/** What is stored in a schema runs in it, whatever the default schema is (measured): names without one are of that schema. */
function bodyIn(a: Analysis, schema: string | null): Analysis {
  return schema === null ? a : a.within(schema);
}

/** CREATE TRIGGER from behind the word; returns the position after the body. */
export function createTrigger(a: Analysis, start: number, end: number, scope: Scope): number {
  const { draft } = a;
  draft.effects.transaction = "commits";
  const name = a.qualifiedName(skipIf(a, start), end);
  let at = name.next;
  if (a.word(at) !== "BEFORE" && a.word(at) !== "AFTER")
    notUnderstood(`BEFORE or AFTER is expected ${a.near(at)}`);
  at = triggerEvents(a, at + 1, end);
  const on = a.qualifiedName(a.expect(at, end, "ON"), end);
  // The trigger's schema, where it is written, must be the table's.
  draft.changes.add(a.tableOf(on.schema === null ? { schema: name.schema, name: on.name } : on));
  at = a.expect(on.next, end, "FOR", "EACH", "ROW");
  if (a.word(at) === "FOLLOWS" || a.word(at) === "PRECEDES") at = a.qualifiedName(at + 1, end).next;
  const body = bodyIn(a, name.schema);
  inside(body, () => {
    at = bodyStatement(body, at, end, scope);
  });
  return at;
}

const triggerEvent = wordSet("INSERT UPDATE DELETE");

/** INSERT, UPDATE or DELETE; MariaDB 11.8 has UPDATE OF columns, 12 has several events with OR between. */
function triggerEvents(a: Analysis, start: number, end: number): number {
  let at = start;
  for (;;) {
    if (!triggerEvent.has(a.word(at))) notUnderstood(`an event is expected ${a.near(at)}`);
    const isUpdate = a.word(at) === "UPDATE";
    at += 1;
    if (isUpdate && a.isMariaDb() && a.word(at) === "OF") {
      do {
        if (!a.isName(at + 1) || at + 1 >= end) notUnderstood(`a column is expected ${a.near(at + 1)}`);
        at += 2;
      } while (a.word(at) === ",");
    }
    if (!a.isMariaDb() || a.word(at) !== "OR") return at;
    at += 1;
  }
}

const characteristics =
  wordSet(`COMMENT LANGUAGE SQL NOT DETERMINISTIC CONTAINS NO READS MODIFIES DATA SECURITY DEFINER INVOKER
  AGGREGATE`);

/** CREATE PROCEDURE and CREATE FUNCTION from behind the word; returns the position after the body. */
export function createRoutine(a: Analysis, start: number, end: number, scope: Scope): number {
  const { draft } = a;
  draft.effects.transaction = "commits";
  const name = a.qualifiedName(skipIf(a, start), end);
  draft.routineChanges.add(a.routineOf(name));
  let at = name.next;
  if (a.isPhrase(at, "RETURNS") || a.word(at) === "SONAME") notSupported("a loadable function");
  const closing = a.closing(a.word(at) === "(" ? at : notUnderstood(`parameters are expected ${a.near(at)}`));
  const parameters = parameterNames(a, at + 1, closing);
  at = bodyStart(a, closing + 1, end);
  const body = bodyIn(a, name.schema);
  anchoredTypes(body, name.next, at);
  inside(body, () => {
    body.locals = parameters;
    at = bodyStatement(body, at, end, scope);
  });
  return at;
}

function parameterNames(a: Analysis, start: number, end: number): Set<string> {
  const names = new Set<string>();
  for (let at = start; at < end; ) {
    if (a.word(at) === "IN" || a.word(at) === "OUT" || a.word(at) === "INOUT") at += 1;
    names.add(a.nameAt(at).toLowerCase());
    while (at < end && a.word(at) !== ",") at = a.skip(at);
    at += 1;
  }
  return names;
}

const bodyHeads =
  wordSet(`BEGIN SELECT INSERT UPDATE DELETE REPLACE SET RETURN CALL IF CASE WHILE LOOP REPEAT WITH DO TRUNCATE
  VALUES CREATE ALTER DROP SIGNAL RESIGNAL GET PREPARE EXECUTE SHOW KILL FOR LOAD RENAME LOCK UNLOCK START COMMIT ROLLBACK
  TABLE FLUSH ANALYZE OPTIMIZE REPAIR CHECK GRANT REVOKE`);

/** Behind RETURNS type and the characteristics. */
function bodyStart(a: Analysis, start: number, end: number): number {
  let at = start;
  let inType = a.word(at) === "RETURNS";
  if (inType) at += 2;
  while (at < end) {
    const word = a.word(at);
    if (word === "LANGUAGE" && a.word(at + 1) !== "SQL") notSupported("a routine in another language");
    // CHARACTER SET belongs to the type.
    const isCharset = word === "SET" && (a.word(at - 1) === "CHARACTER" || a.word(at - 1) === "CHAR");
    if (bodyHeads.has(word) && !isCharset) return at;
    if (a.isPhrase(at + 1, ":") && a.isName(at)) return at;
    inType &&= !characteristics.has(word);
    const belongs = characteristics.has(word) || a.kind(at) === TokenKind.string || inType || word === "(";
    if (!belongs) notUnderstood(`a body is expected ${a.near(at)}`);
    at = a.skip(at);
  }
  return notUnderstood("a body is expected at the end");
}

/** CREATE and ALTER EVENT: for administrators; its body is passed over. Returns the position after it. */
export function event(a: Analysis, start: number, end: number, scope: Scope): number {
  let at = start;
  while (at < end && a.word(at) !== "DO" && a.word(at) !== ";") at = a.skip(at);
  if (a.word(at) !== "DO" || at >= end) return at;
  at += 1;
  inside(a, () => {
    at = bodyStatement(a, at, end, scope);
  });
  return at;
}
