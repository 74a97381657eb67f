// The quick look at a text where no ACL is enforced: is it one ordinary SELECT, INSERT, UPDATE, DELETE or REPLACE that
// holds nothing which the gateway answers itself and nothing that changes the session? One pass over the bytes, no
// allocation. A "no" says nothing; only a "yes" is relied on, so whatever could be something else is a "no".

/** What a plain statement does. */
export type PlainKind = "no" | "read" | "write";

const SPACE = 0x20;
const OPEN = 0x28;
const UNDERSCORE = 0x5f;

/** Bytes at which the pass stops to look closer: `@ ; / : (` and the first letters of the words below. */
const stops = new Uint8Array(256);
for (const char of "@;/:(uUsSkKgGlLvV") stops[char.charCodeAt(0)] = 1;

const heads: readonly (readonly [word: string, kind: PlainKind])[] = [
  ["select", "read"],
  ["insert", "write"],
  ["update", "write"],
  ["delete", "write"],
  ["replace", "write"],
];

/**
 * Words that stand for more than they seem, wherever they occur: identity (`current_user`, `current_role`), the process
 * list and its schemas, KILL, FOUND_ROWS's SQL_CALC_FOUND_ROWS, GET_LOCK, LOAD_FILE, LOCK. Some without their beginning, so that fewer
 * letters need a closer look.
 */
const wordsByFirst: ReadonlyMap<number, readonly string[]> = new Map([
  [0x75, ["user", "urrent_role"]],
  [0x73, ["sql_", "session", "system_", "sslist", "schema"]],
  [0x6b, ["kill"]],
  [0x67, ["get_lock", "grant", "global_"]],
  [0x6c, ["load", "lock", "last_"]],
  // NEXT VALUE FOR and PREVIOUS VALUE FOR a sequence.
  [0x76, ["value ", "value\t", "value\n", "value\r", "value\v", "value\f", "value/", "value-", "value#"]],
]);

/** The first two letters of those words, as one number: most letters are no beginning of one. */
const beginnings = new Uint8Array(1 << 16);
for (const [first, words] of wordsByFirst) {
  for (const word of words) beginnings[(first << 8) | word.charCodeAt(1)] = 1;
}

/** Words before a parenthesis that are no call of a function. */
const noCalls = new Set([
  "in",
  "values",
  "value",
  "and",
  "or",
  "not",
  "where",
  "on",
  "using",
  "by",
  "as",
  "any",
  "all",
]);
/** Built-in aggregates and others that neither change nor reveal anything of the session. */
const harmlessCalls = new Set([
  "count",
  "sum",
  "min",
  "max",
  "avg",
  "concat",
  "coalesce",
  "ifnull",
  "lower",
  "upper",
]);

/** Looks at `bytes[from, to)`. */
export function plainKindOf(bytes: Uint8Array, from: number, to: number): PlainKind {
  let at = from;
  while (at < to && isSpace(bytes[at] as number)) at += 1;
  const head = heads.find(
    ([word]) => startsWith(bytes, at, to, word) && isSpace(bytes[at + word.length] ?? 0),
  );
  if (head === undefined) return "no";
  for (at += head[0].length; at < to; at += 1) {
    const byte = bytes[at] as number;
    if (stops[byte] === 1 && !isHarmless(bytes, at, to, byte)) return "no";
  }
  return head[1];
}

function isHarmless(bytes: Uint8Array, at: number, to: number, byte: number): boolean {
  if (byte === OPEN) return isNoCall(bytes, at);
  if (byte === 0x2f) return bytes[at + 1] !== 0x2a;
  if (byte === 0x3a) return bytes[at + 1] !== 0x3d;
  const first = byte | SPACE;
  if (first >= 0x61 && beginnings[(first << 8) | ((bytes[at + 1] ?? 0) | SPACE)] === 0) return true;
  const words = wordsByFirst.get(first);
  if (words === undefined) return false;
  return !words.some((word) => startsWith(bytes, at, to, word));
}

/** What stands before a parenthesis: an operator, a keyword that takes a list, or a known harmless function. */
function isNoCall(bytes: Uint8Array, openAt: number): boolean {
  let end = openAt;
  while (end > 0 && isSpace(bytes[end - 1] as number)) end -= 1;
  let start = end;
  while (start > 0 && end - start <= 16 && isWord(bytes[start - 1] as number)) start -= 1;
  if (start === end) return bytes[end - 1] !== 0x60 && bytes[end - 1] !== 0x22;
  if (start > 0 && bytes[start - 1] === 0x2e) return false;
  const word = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
    .toString("latin1")
    .toLowerCase();
  return noCalls.has(word) || (end === openAt && harmlessCalls.has(word));
}

function startsWith(bytes: Uint8Array, at: number, to: number, word: string): boolean {
  if (at + word.length > to) return false;
  for (let index = 0; index < word.length; index += 1) {
    const byte = bytes[at + index] as number;
    const lower = byte >= 0x41 && byte <= 0x5a ? byte | SPACE : byte;
    if (lower !== word.charCodeAt(index)) return false;
  }
  return true;
}

function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= 9 && byte <= 13);
}

function isWord(byte: number): boolean {
  const lower = byte | SPACE;
  return (
    (lower >= 0x61 && lower <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === UNDERSCORE ||
    byte === 0x24 ||
    byte >= 0x80
  );
}
