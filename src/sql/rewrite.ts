// Puts the gateway's own truth in place of functions and variables that tell who the session is: on a backend they would
// tell of the service account. Replacements mean the same in every sql_mode and character set, and are never a column's
// position; a heading that was such a text is kept by an alias.

import { analyzeBytes } from "./analyze.ts";
import type { AnalysisContext, AnalyzedText } from "./analyzed-text.ts";
import type { Flavour } from "./dialect.ts";
import { integerInPlaceOf, textInPlaceOf } from "./literals.ts";
import type { IdentityToken, ServerTable, UnnamedItem } from "./statement-summary.ts";
import { decodeString } from "./string-literal.ts";
import { applyEdits, type TextEdit } from "./text-edits.ts";
import { isWide, shieldWide, unshieldWide } from "./wide-characters.ts";

/** What a session is told of itself. */
export interface IdentityValues {
  /** USER(): login name at the client's host. */
  readonly user: string;
  /** CURRENT_USER(). */
  readonly currentUser: string;
  /** CURRENT_ROLE(); null: NULL. */
  readonly currentRole: string | null;
  readonly connectionId: number;
  /** DATABASE(); undefined: the backend's own answer is right. */
  readonly database?: string | null;
  /** ROW_COUNT() and FOUND_ROWS(); null or undefined: the backend's own answer is right. */
  readonly rowCount?: number | null;
  readonly foundRows?: number | null;
  /** @@proxy_user, quotes included; null: not mapped. */
  readonly proxyUser: string | null;
  readonly externalUser: string | null;
  /** @@check_proxy_users and the plugins' variables of that kind. */
  readonly proxyUsers: {
    readonly check: boolean;
    readonly mysqlNativePassword: boolean;
    readonly cachingSha2Password: boolean;
    readonly sha256Password: boolean;
  };
  /** A query that gives the rows of one of the server's tables. */
  readonly rowsOf: (table: ServerTable) => string;
  /** A query that gives the rows of SHOW [GLOBAL] VARIABLES. */
  readonly shownVariables: (global: boolean) => string;
}

/** Headings are cut by servers after so many characters. */
const headingCharactersMax = 255;

/**
 * The text with its identity tokens replaced. `text` must be the one that was analysed, in `context`.
 * A statement without such tokens comes back as it is. What `untellableIdentity` finds must have been refused.
 */
export function rewriteIdentity(
  text: Uint8Array,
  analyzed: AnalyzedText,
  values: IdentityValues,
  context: AnalysisContext,
): Uint8Array {
  return applyEdits(text, identityEdits(text, analyzed, values, context)) ?? text;
}

/** What {@link rewriteIdentity} changes. */
export function identityEdits(
  text: Uint8Array,
  analyzed: AnalyzedText,
  values: IdentityValues,
  context: AnalysisContext,
): TextEdit[] {
  const edits: TextEdit[] = [];
  const literals = new Map<string, Buffer | null>();
  for (const { identityTokens, unnamedItems } of analyzed.statements) {
    const replaced: IdentityToken[] = [];
    for (const token of identityTokens) {
      const { start, end } = token;
      if (token.place === "literal" && edits.at(-1)?.start !== start) {
        const nested = rewriteLiteral(text.subarray(start, end), values, context);
        if (nested !== null) edits.push({ start, end, text: nested });
      }
      if (token.place !== "text") continue;
      const key = `${token.name} ${token.global} ${token.byTable} ${token.tableName} ${token.condition}`;
      let literal = literals.get(key);
      if (literal === undefined) {
        const written = literalFor(token, values);
        literal = written === null ? null : Buffer.from(written === "" ? "" : ` ${written} `, "utf8");
        literals.set(key, literal);
      }
      if (literal === null) continue;
      replaced.push(token);
      edits.push({ start, end, text: withMarks(literal, text, token, analyzed.executableParts) });
      for (const at of token.parentheses ?? []) edits.push({ start: at, end: at + 1, text: space });
      if (token.conditionEnd !== undefined)
        edits.push({ start: token.conditionEnd, end: token.conditionEnd, text: inOrder });
    }
    for (const item of unnamedItems) {
      const first =
        replaced[firstFrom(replaced.length, (index) => (replaced[index]?.start ?? 0) >= item.start)];
      if (first === undefined || first.end > item.end) continue;
      edits.push({
        start: item.end,
        end: item.end,
        text: alias(text, item, analyzed.executableParts, context.flavour),
      });
    }
  }
  return edits;
}

const space = Buffer.from(" ");
/** As SHOW VARIABLES lists them. */
const inOrder = Buffer.from(" ORDER BY CAST(`Variable_name` AS BINARY)");

/** The literal of a PREPARE, with the statement in it rewritten; null: it stays. */
function rewriteLiteral(
  written: Uint8Array,
  values: IdentityValues,
  context: AnalysisContext,
): Uint8Array | null {
  const escapes = context.modes?.noBackslashEscapes !== true;
  const { characterSet } = context;
  const shielded = (bytes: Uint8Array): string => {
    const plain = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    return isWide(characterSet) ? shieldWide(plain, characterSet) : plain;
  };
  const decoded = decodeString(shielded(written), !escapes);
  if (decoded === null) return null;
  const inner = unshieldWide(decoded);
  const text = Buffer.from(inner, "latin1");
  // It will ask for the leftovers of a later statement.
  const lasting = { ...values, rowCount: null, foundRows: null };
  const rewritten = rewriteIdentity(text, analyzeBytes(inner, context), lasting, context);
  if (rewritten === text) return null;
  const doubled = shielded(rewritten).replaceAll("'", "''");
  const escaped = escapes ? doubled.replaceAll("\\", "\\\\") : doubled;
  return Buffer.from(`'${unshieldWide(escaped)}'`, "latin1");
}

/** What stands for a token; null: the token stays. */
function literalFor(token: IdentityToken, values: IdentityValues): string | null {
  const { name, global } = token;
  switch (name) {
    case "user":
      return textInPlaceOf("USER()", values.user);
    case "current_user":
      return textInPlaceOf("CURRENT_USER()", values.currentUser);
    case "current_role":
      return textInPlaceOf("CURRENT_ROLE()", values.currentRole);
    case "connection_id":
      return integerInPlaceOf("CONNECTION_ID()", values.connectionId);
    case "pseudo_thread_id":
      return integerInPlaceOf("@@pseudo_thread_id", values.connectionId);
    case "database":
      return values.database === undefined ? null : textInPlaceOf("DATABASE()", values.database);
    case "row_count":
      return values.rowCount == null ? null : countLiteral(values.rowCount);
    case "found_rows":
      // MySQL warns that it is deprecated, which is to be seen in @@warning_count.
      return values.foundRows == null ? null : `IF(FOUND_ROWS() < 0, 0, ${countLiteral(values.foundRows)})`;
    case "proxy_user":
      // `@@global.` is an error, which servers word themselves.
      return global ? null : textInPlaceOf("@@proxy_user", values.proxyUser);
    case "external_user":
      return global ? null : textInPlaceOf("@@external_user", values.externalUser);
    case "check_proxy_users":
      return switched(values.proxyUsers.check);
    case "mysql_native_password_proxy_users":
      return switched(values.proxyUsers.mysqlNativePassword);
    case "caching_sha2_password_proxy_users":
      return switched(values.proxyUsers.cachingSha2Password);
    case "sha256_password_proxy_users":
      return switched(values.proxyUsers.sha256Password);
    case "qualifier":
      return "";
    case "show_variables": {
      const behind = token.condition === "LIKE" ? " WHERE `Variable_name`" : "";
      return `SELECT * FROM (${values.shownVariables(global)}) AS \`session_variables\`${behind}`;
    }
    default:
      return tableFor(token, values.rowsOf(name));
  }
}

function tableFor({ byTable, tableName }: IdentityToken, query: string): string {
  const alias = tableName === undefined ? "" : ` AS \`${tableName}\``;
  return `${byTable === true ? "SELECT * FROM " : ""}(${query})${alias}`;
}

function switched(on: boolean): string {
  return `CAST(${on ? 1 : 0} AS SIGNED)`;
}

/** ` AS `text``: the heading that the item has without an alias. */
function alias(
  text: Uint8Array,
  item: UnnamedItem,
  executableParts: readonly number[],
  flavour: Flavour,
): Uint8Array {
  const written = withoutParts(text, item, executableParts, flavour).toString("latin1");
  // Cut by bytes of whole characters: a byte from 0x80 to 0xBF continues one, where characters have several.
  let end = Math.min(written.length, headingCharactersMax);
  while (end < written.length && end > 0 && /[\x80-\xbf]/.test(written.charAt(end))) end -= 1;
  const heading = written.slice(0, end).trimEnd().replaceAll("`", "``");
  return Buffer.from(` AS \`${heading}\``, "latin1");
}

/** The first index for which `holds` is true, which it must be from there on: texts may have very many of everything. */
function firstFrom(count: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * `replacement`, and behind it the marks of executable comments that stood in the replaced place [start, end): their
 * partners may stand outside.
 */
export function withMarks(
  replacement: Uint8Array,
  text: Uint8Array,
  { start, end }: { readonly start: number; readonly end: number },
  parts: readonly number[],
): Uint8Array {
  if (parts.length === 0) return replacement;
  const kept: Uint8Array[] = [replacement];
  const first = firstFrom(parts.length / 2, (index) => (parts[index * 2] ?? 0) >= start);
  for (let index = first * 2; index < parts.length; index += 2) {
    const partEnd = parts[index + 1] ?? 0;
    if (partEnd > end) break;
    kept.push(text.subarray(parts[index] ?? 0, partEnd));
  }
  return kept.length === 1 ? replacement : Buffer.concat(kept);
}

const STAR = 0x2a;
const SPACES: ReadonlySet<number | undefined> = new Set([0x20, 9, 10, 11, 12, 13]);

/** Servers leave the marks of executable comments out of headings; MySQL has a space for the end of one. */
function withoutParts(
  text: Uint8Array,
  { start, end }: UnnamedItem,
  parts: readonly number[],
  flavour: Flavour,
): Buffer {
  const kept: Uint8Array[] = [];
  let from = start;
  const first = firstFrom(parts.length / 2, (index) => (parts[index * 2] ?? 0) >= start);
  for (let index = first * 2; index < parts.length; index += 2) {
    const partStart = parts[index] ?? 0;
    const partEnd = parts[index + 1] ?? 0;
    if (partEnd > end) break;
    kept.push(text.subarray(from, partStart));
    if (flavour === "mysql" && text[partStart] === STAR && !SPACES.has(text[partStart - 1])) kept.push(space);
    from = partEnd;
  }
  kept.push(text.subarray(from, end));
  return Buffer.concat(kept);
}

const bigintMax = 2n ** 63n - 1n;

/**
 * A count as an expression of the very type that ROW_COUNT() and FOUND_ROWS() have (BIGINT of 21 digits, not null): a
 * literal, and on MariaDB a cast of it, is as small as its value. -1 is the least.
 */
function countLiteral(count: number): string {
  const whole = BigInt(count);
  if (whole < 0n) return `(${bigintMax - 1n} - ${bigintMax})`;
  return `(${bigintMax} - ${bigintMax - whole})`;
}
