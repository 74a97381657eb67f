// CREATE, ALTER, DROP: the words between the verb and the object, and where each object is read.

import type { Analysis } from "./analysis.ts";
import { alterTable, createTable, dropList, index, sequence, skipIf } from "./ddl-tables.ts";
import type { Scope } from "./scope.ts";
import { createRoutine, createTrigger, event, view } from "./stored-objects.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** What was found between the verb and the object. */
interface Head {
  /** The position of the object's word. */
  readonly at: number;
  readonly temporary: boolean;
  readonly temptable: boolean;
}

const adjectives = wordSet(
  "OR REPLACE UNIQUE FULLTEXT SPATIAL VECTOR IGNORE ONLINE OFFLINE AGGREGATE UNDO MATERIALIZED",
);

function head(a: Analysis, start: number, end: number): Head {
  let at = start + 1;
  let temporary = false;
  let temptable = false;
  while (at < end) {
    const word = a.word(at);
    if (word === "TEMPORARY") temporary = true;
    if (adjectives.has(word) || word === "TEMPORARY") at += 1;
    else if (a.word(at) === "EXTERNAL" && a.word(at + 1) === "TABLE") notSupported("an external table");
    else if (a.isPhrase(at, "JSON", "RELATIONAL", "DUALITY", "VIEW")) at += 3;
    else if (a.isPhrase(at, "JSON", "DUALITY", "VIEW")) at += 2;
    else if (a.isPhrase(at, "ALGORITHM", "=")) {
      temptable = a.word(at + 2) === "TEMPTABLE";
      at += 3;
    } else if (a.isPhrase(at, "SQL", "SECURITY")) at += 3;
    else if (a.isPhrase(at, "DEFINER", "=")) at = definer(a, at + 2);
    else break;
  }
  return { at, temporary, temptable };
}

/** CURRENT_USER only: another definer would lend an account's rights. */
function definer(a: Analysis, at: number): number {
  if (a.word(at) !== "CURRENT_USER") notSupported("a DEFINER other than CURRENT_USER");
  return a.isPhrase(at + 1, "(", ")") ? at + 3 : at + 1;
}

/** One object of CREATE, ALTER or DROP; returns the position after it where that is not the statement's end. */
type ObjectReader = (a: Analysis, head: Head, end: number, scope: Scope) => number | undefined;

const creates: Readonly<Record<string, ObjectReader>> = {
  TABLE: (a, { at, temporary }, end, scope) => void createTable(a, at + 1, end, { temporary }, scope),
  SEQUENCE: (a, { at, temporary }, end) => void sequence(a, at + 1, end, { temporary }),
  INDEX: (a, { at }, end) => void index(a, at + 1, end),
  VIEW: (a, { at, temptable }, end, scope) => void view(a, at + 1, end, temptable, scope),
  TRIGGER: (a, { at }, end, scope) => createTrigger(a, at + 1, end, scope),
  PROCEDURE: (a, { at }, end, scope) => createRoutine(a, at + 1, end, scope),
  FUNCTION: (a, { at }, end, scope) => createRoutine(a, at + 1, end, scope),
  EVENT: (a, { at }, end, scope) => event(a, at + 1, end, scope),
  DATABASE: (a, { at }, end) => void schema(a, at + 1, end),
  SCHEMA: (a, { at }, end) => void schema(a, at + 1, end),
};

const alters: Readonly<Record<string, ObjectReader>> = {
  TABLE: (a, { at }, end) => void alterTable(a, at + 1, end),
  SEQUENCE: (a, { at }, end) => void sequence(a, at + 1, end, { temporary: false }),
  VIEW: (a, { at, temptable }, end, scope) => void view(a, at + 1, end, temptable, scope),
  PROCEDURE: (a, { at }, end) => void routine(a, at + 1, end),
  FUNCTION: (a, { at }, end) => void routine(a, at + 1, end),
  EVENT: (a, { at }, end, scope) => event(a, at + 1, end, scope),
  DATABASE: (a, { at }, end) => void schema(a, at + 1, end),
  SCHEMA: (a, { at }, end) => void schema(a, at + 1, end),
};

const drops: Readonly<Record<string, ObjectReader>> = {
  TABLE: (a, { at }, end) => void dropList(a, at + 1, end),
  TABLES: (a, { at }, end) => void dropList(a, at + 1, end),
  SEQUENCE: (a, { at }, end) => void dropList(a, at + 1, end),
  VIEW: (a, { at }, end) => void dropList(a, at + 1, end),
  INDEX: (a, { at }, end) => void index(a, at + 1, end),
  TRIGGER: (a, { at }, end) => void dropTrigger(a, at + 1, end),
  PROCEDURE: (a, { at }, end) => void routine(a, at + 1, end),
  FUNCTION: (a, { at }, end) => void routine(a, at + 1, end),
  DATABASE: (a, { at }, end) => void schema(a, at + 1, end),
  SCHEMA: (a, { at }, end) => void schema(a, at + 1, end),
};

const readers: Readonly<Record<string, Readonly<Record<string, ObjectReader>>>> = {
  CREATE: creates,
  ALTER: alters,
  DROP: drops,
};

/** Objects for administrators: nothing of them needs to be read. The longest that fits counts. */
const serverObjects: ReadonlySet<string> = new Set([
  ...[
    "USER",
    "ROLE",
    "SERVER",
    "EVENT",
    "PACKAGE",
    "LIBRARY",
    "TABLESPACE",
    "INSTANCE",
    "LOGFILE GROUP",
    "RESOURCE GROUP",
  ],
  "SPATIAL REFERENCE SYSTEM",
  "MASKING POLICY",
]);

/** Names that have two spellings. */
const sameAs: ReadonlyMap<string, string> = new Map([
  ["SCHEMA", "DATABASE"],
  ["TABLES", "TABLE"],
]);

/** CREATE, ALTER, DROP; returns the kind. `ended` is told where a stored body ends. */
export function define(
  a: Analysis,
  start: number,
  end: number,
  scope: Scope,
  ended: (at: number) => void = () => undefined,
): string {
  const verb = a.word(start);
  const server = serverObject(a, start);
  const { draft } = a;
  draft.notReadOnly(`${verb} defines something`);
  if (server !== null) {
    if (server === "EVENT") ended(event(a, start + 2, end, scope));
    if (server === "PACKAGE") unreadBody(a);
    return `${verb} ${server}`;
  }
  const found = head(a, start, end);
  const object = a.word(found.at);
  const table = readers[verb];
  const reader = table !== undefined && Object.hasOwn(table, object) ? table[object] : undefined;
  if (reader === undefined) {
    const behind = serverObject(a, found.at - 1);
    if (behind === null) notUnderstood(`an object that is unknown ${a.near(found.at)}`);
    if (behind === "PACKAGE") unreadBody(a);
    return `${verb} ${behind}`;
  }
  const after = reader?.(a, found, end, scope);
  if (after !== undefined) ended(after);
  return `${verb} ${sameAs.get(object) ?? object}`;
}

function serverObject(a: Analysis, start: number): string | null {
  for (let words = 3; words > 0; words -= 1) {
    const object = Array.from({ length: words }, (_, offset) => a.word(start + 1 + offset)).join(" ");
    if (serverObjects.has(object)) return object;
  }
  return null;
}

/** Nobody has read what stands behind the head: other statements may, which may do anything. */
function unreadBody({ draft }: Analysis): void {
  draft.pin("a package");
  draft.effects.sqlMode = { value: null };
  draft.effects.characterSet = { value: null };
}

/** CREATE, ALTER, DROP of a schema; ALTER DATABASE without a name means the default one. */
function schema(a: Analysis, start: number, end: number): void {
  a.draft.effects.transaction = "commits";
  const at = skipIf(a, start);
  const isNamed = a.isName(at) && at < end;
  // `ALTER DATABASE charset ..`: a name, or the option of the default schema. Then both.
  const mayBeOption = !isNamed || databaseOptions.has(a.word(at));
  const { defaultSchema } = a.context;
  if (isNamed) a.draft.schemas.push({ name: a.nameAt(at), access: "change" });
  if (mayBeOption && defaultSchema !== null) a.draft.schemas.push({ name: defaultSchema, access: "change" });
  for (let index = isNamed ? at + 1 : at; index < end; index += 1) {
    if (a.word(index) === "(" || a.word(index) === ".")
      notUnderstood(`something unexpected stands ${a.near(index)}`);
  }
}

const databaseOptions = wordSet("CHARSET COMMENT ENCRYPTION UPGRADE");

/** DROP TRIGGER: which table it is on is not said. */
function dropTrigger(a: Analysis, start: number, end: number): void {
  a.draft.effects.transaction = "commits";
  const name = a.qualifiedName(skipIf(a, start), end);
  const schemaName = name.schema ?? a.context.defaultSchema;
  if (schemaName !== null) a.draft.schemas.push({ name: schemaName, access: "change" });
  a.finishAt(name.next, end);
}

/** ALTER and DROP of a routine. */
function routine(a: Analysis, start: number, end: number): void {
  a.draft.effects.transaction = "commits";
  const name = a.qualifiedName(skipIf(a, start), end);
  a.draft.routineChanges.add(a.routineOf(name));
  for (let at = name.next; at < end; at += 1) {
    if (a.word(at) === "(") notUnderstood(`something unexpected stands ${a.near(at)}`);
  }
}
