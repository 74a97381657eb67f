// The words that the analyser knows, numbered, and how the lexer finds the number of a word that it has just read
// without making a string of it. A word that does not stand here is a name like any other.

const list = `
KILL CONNECTION QUERY HARD SOFT ID USER
NULL DEFAULT TRUE FALSE
SELECT INSERT REPLACE UPDATE DELETE
PREPARE EXECUTE IMMEDIATE FROM
`;

/** Marks of punctuation take the numbers of their codes; words come after them; 0 is no word. */
const firstWord = 128;

const known = [...new Set(list.split(/\s+/).filter((word) => word !== ""))];

/** Number to word. */
export const wordNames: readonly string[] = [
  ...Array.from({ length: firstWord }, (_, code) =>
    code > 32 && code < 127 ? String.fromCharCode(code) : "",
  ),
  ...known,
];

const bucketMask = 8191;
const buckets = new Uint16Array(bucketMask + 1);

/** One step of the hash over the bytes of a word; letters of both cases give the same. */
export function hashStep(hash: number, code: number): number {
  return (Math.imul(hash, 31) + (code | 0x20)) | 0;
}

for (const [index, word] of known.entries()) {
  let hash = 0;
  for (let at = 0; at < word.length; at += 1) hash = hashStep(hash, word.charCodeAt(at));
  let bucket = hash & bucketMask;
  while (buckets[bucket] !== 0) bucket = (bucket + 1) & bucketMask;
  buckets[bucket] = firstWord + index;
}

/** The number of the word between two offsets of `text`, whatever its case; 0: none that is known. */
export function wordNumber(text: string, start: number, end: number, hash: number): number {
  let bucket = hash & bucketMask;
  for (;;) {
    const number = buckets[bucket] ?? 0;
    if (number === 0) return 0;
    if (isWord(text, start, end, wordNames[number] ?? "")) return number;
    bucket = (bucket + 1) & bucketMask;
  }
}

function isWord(text: string, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let at = 0; at < word.length; at += 1) {
    const code = text.charCodeAt(start + at);
    const capital = code >= 97 && code <= 122 ? code - 32 : code;
    if (capital !== word.charCodeAt(at)) return false;
  }
  return true;
}
