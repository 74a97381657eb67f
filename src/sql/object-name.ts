// Names of schemas, tables and routines as a server compares them. One normaliser for the ACL and the router: what they
// hold to be different, the server must not hold to be the same
// (https://dev.mysql.com/doc/refman/8.4/en/identifier-case-sensitivity.html).

/** The server variable lower_case_table_names: 0 compares exactly, 1 and 2 without regard to case. */
export type LowerCaseTableNames = 0 | 1 | 2;

/** Identifiers have at most 64 characters; anything longer is refused by every server. */
export const objectNameCharactersMax = 64;

/**
 * Behind this prefix servers take a name as that of a file: `#mysql50#orders` is `orders` to MySQL 5.7 and MariaDB 11.8
 * (https://dev.mysql.com/doc/refman/5.7/en/identifier-mapping.html).
 */
const asFile = /^#mysql50#/i;

const asciiOnly = /^[\x01-\x7f]*$/;

/**
 * Why a name cannot be compared with certainty, or null. Servers do not normalise and fold by tables older than ours:
 * a name must be in NFC, within the Basic Multilingual Plane, and have no character whose folding is an ASCII letter
 * (the Kelvin sign is `k`, the long s is `s`).
 */
export function objectNameDoubt(name: string): string | null {
  if (name.length === 0) return "the name is empty";
  if (name.length > objectNameCharactersMax) return "the name is too long";
  if (asFile.test(name)) return "the name is that of a file, which may be another table's";
  if (asciiOnly.test(name)) return null;
  if (name.includes("\0")) return "the name holds a NUL character";
  if (name !== name.normalize("NFC")) return "the name is not in Unicode normalisation form C";
  for (const character of name) {
    if (character <= "\x7f") continue;
    if (character > "\uffff") return "the name holds a character beyond the Basic Multilingual Plane";
    const code = character.charCodeAt(0);
    if (code >= 0xd800 && code <= 0xdfff) return "the name holds half a surrogate pair";
    if (code === 0xfffd) return "the name holds bytes that are not valid in its character set";
    if (foldsToAscii(character))
      return "the name holds a character that a server may read as an ASCII letter";
  }
  return null;
}

/** Servers fold one character to one character: `ß` to `SS` is not among their foldings, `İ` to `i` is. */
function foldsToAscii(character: string): boolean {
  const [lower = ""] = character.toLowerCase();
  const upper = character.toUpperCase();
  const compatible = character.normalize("NFKC");
  return lower <= "\x7f" || (upper.length === 1 && upper <= "\x7f") || compatible <= "\x7f";
}

/** The name without regard to case, for comparison only. Character by character: a final sigma is no exception. */
export function foldObjectName(name: string): string {
  if (asciiOnly.test(name)) return name.toLowerCase();
  let folded = "";
  for (const character of name) folded += character.toLowerCase();
  return folded;
}

const systemSchemas = new Set(["information_schema", "performance_schema", "mysql", "sys"]);

/** Whether the server keeps this schema itself; such names are compared without regard to case everywhere. */
export function isSystemSchema(schema: string): boolean {
  return systemSchemas.has(foldObjectName(schema));
}
