// What decides how a server reads a text: its family and version, the sql_mode bits that the lexer knows, the client's
// character set. Pure values; who learns them from a backend is not known here
// (https://dev.mysql.com/doc/refman/8.4/en/sql-mode.html, https://mariadb.com/docs/server/server-management/variables-and-modes/sql_mode).

/** The family of a server: they read executable comments and some words differently. */
export type Flavour = "mysql" | "mariadb";

/**
 * What bytes beyond ASCII mean outside of quotes. `utf8`: only as whole characters; `latin1`: letters of names, and a
 * space; `ascii`: nothing, and no byte of a character is ever an ASCII punctuation mark; `unsafe`: a byte of a character
 * may look like a quote or a backslash, so only texts of plain ASCII can be read; `gbk`, `big5`, `sjis`: the same, of sets
 * that are known; `unreadable`: not even those.
 */
export type CharacterSetClass =
  | "utf8"
  | "latin1"
  | "ascii"
  | "unsafe"
  | "gbk"
  | "big5"
  | "sjis"
  | "unreadable";

/** How a text is to be read. */
export interface LexOptions {
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  readonly flavour: Flavour;
  /** As executable comments write it: 80044 is 8.0.44, 101119 is 10.11.19. */
  readonly version: number;
  readonly characterSet: CharacterSetClass;
}

/** The bits of sql_mode that change how a text is read. */
export interface ReadingModes {
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  readonly ignoreSpace: boolean;
  /** MariaDB's modes ORACLE and MSSQL have words and quotes of their own, which are not read here. */
  readonly oracle: boolean;
}

/** The bits as servers have them by default: none. */
export const defaultReadingModes: ReadingModes = {
  ansiQuotes: false,
  noBackslashEscapes: false,
  ignoreSpace: false,
  oracle: false,
};

// MySQL's combination modes; MariaDB knows these and three more, which all contain ANSI_QUOTES.
const withAnsiQuotes = new Set(["ANSI", "ORACLE", "POSTGRESQL", "MSSQL", "DB2", "MAXDB"]);

/** The bits of a value of sql_mode as servers print or take it: a list of names. Null: not such a list. */
export function readingModesOf(sqlMode: string): ReadingModes | null {
  const names = sqlMode.split(",").map((name) => name.trim().toUpperCase());
  if (!names.every((name) => /^[A-Z_0-9]*$/.test(name))) return null;
  // A number stands for bits whose meaning differs between servers.
  if (names.some((name) => /^[0-9]+$/.test(name))) return null;
  const combined = names.some((name) => withAnsiQuotes.has(name));
  return {
    ansiQuotes: combined || names.includes("ANSI_QUOTES"),
    noBackslashEscapes: names.includes("NO_BACKSLASH_ESCAPES"),
    ignoreSpace: combined || names.includes("IGNORE_SPACE"),
    oracle: names.includes("ORACLE") || names.includes("MSSQL"),
  };
}

const classes: ReadonlyMap<string, CharacterSetClass> = new Map<string, CharacterSetClass>([
  ...["utf8", "utf8mb3", "utf8mb4"].map((name) => [name, "utf8"] as const),
  ["latin1", "latin1"],
  // No trail byte of these is an ASCII punctuation mark; what else is a letter or a space differs, so nothing is.
  ...[
    ...["ascii", "binary", "latin2", "latin5", "latin7", "cp1250", "cp1251", "cp1256", "cp1257", "cp850"],
    ...["cp852", "cp866", "dec8", "hp8", "koi8r", "koi8u", "greek", "hebrew", "keybcs2", "macce", "macroman"],
    ...["tis620", "geostd8", "ujis", "eucjpms", "euckr", "gb2312"],
  ].map((name) => [name, "ascii"] as const),
]);

const wide: ReadonlyMap<string, CharacterSetClass> = new Map([
  ["gbk", "gbk"],
  ["gb18030", "gbk"],
  ["big5", "big5"],
  ["sjis", "sjis"],
  ["cp932", "sjis"],
]);

/** Whether only texts of plain ASCII can be read with certainty. */
export function isUnsafe(characterSet: CharacterSetClass): boolean {
  return characterSet === "unsafe" || [...wide.values()].includes(characterSet);
}

// ASCII bytes of these are not always ASCII characters.
const unreadable = new Set(["swe7", "ucs2", "utf16", "utf16le", "utf32"]);

/** The class of a value of character_set_client; whatever is not known is unsafe. */
export function characterSetClass(name: string): CharacterSetClass {
  const folded = name.toLowerCase();
  return unreadable.has(folded) ? "unreadable" : (classes.get(folded) ?? wide.get(folded) ?? "unsafe");
}

/** Family and version from the text of a greeting or of `version()`; null: not recognised. */
export function parseServerVersion(text: string): { flavour: Flavour; version: number } | null {
  const flavour: Flavour = /mariadb/i.test(text) ? "mariadb" : "mysql";
  // MariaDB before 11 hides behind a version that old replicas accept.
  const own = flavour === "mariadb" ? text.replace(/^5\.5\.5-/, "") : text;
  const match = /^(\d{1,3})\.(\d{1,2})\.(\d{1,2})(?!\d)/.exec(own);
  if (match === null) return null;
  const [, major = "", minor = "", patch = ""] = match;
  return { flavour, version: Number(major) * 10_000 + Number(minor) * 100 + Number(patch) };
}
