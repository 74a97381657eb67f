// Finds KILL in every spelling: any case, comments, executable comments, among other statements, inside bodies and
// prepared texts. KILL is a reserved word of both families, so as a word without quotes it is nothing else
// (https://dev.mysql.com/doc/refman/8.4/en/kill.html, https://mariadb.com/docs/server, "KILL").

import type { LexOptions } from "./dialect.ts";
import { lex } from "./lexer.ts";
import type { KillRequest } from "./statement-summary.ts";
import { decodeString } from "./string-literal.ts";
import { TokenKind, type Tokens } from "./tokens.ts";

const letterK = 0x6b;
const letterI = 0x69;
const letterL = 0x6c;

/** Whether the letters `kill` occur in any case: false for nearly all texts, at a quarter of a look a byte. */
export function mayContainKill(text: Uint8Array): boolean {
  // Every fourth byte lies on one of the four letters of any occurrence.
  for (let at = 3; at < text.length + 3; at += 4) {
    const letter = (text[at] ?? 0) | 0x20;
    const isOne = letter === letterK || letter === letterI || letter === letterL || at >= text.length;
    if (isOne && killBegins(text, at)) return true;
  }
  return false;
}

function killBegins(text: Uint8Array, at: number): boolean {
  for (let start = at - 3; start <= at; start += 1) {
    if (
      ((text[start] ?? 0) | 0x20) === letterK &&
      ((text[start + 1] ?? 0) | 0x20) === letterI &&
      ((text[start + 2] ?? 0) | 0x20) === letterL &&
      ((text[start + 3] ?? 0) | 0x20) === letterL
    )
      return true;
  }
  return false;
}

/** A KILL that may be meant, but of whom is not known: never to be relayed. */
export const killOfUnknown: KillRequest = { scope: "connection", id: null };

/**
 * The KILL of a text, one character a byte; null: there is none. The id is null too where the KILL is not the text's only
 * statement, or where the text cannot be read to its end.
 */
export function findKill(text: string, options: LexOptions): KillRequest | null {
  const tokens = lex(text, options);
  const kill = killOf(tokens, options.noBackslashEscapes);
  tokens.release();
  return kill;
}

/** The same for a text that was read already. */
export function killOf(tokens: Tokens, noBackslashEscapes: boolean): KillRequest | null {
  const { refusal, text } = tokens;
  if (refusal !== null && /\bkill\b/i.test(text.slice(refusal.offset))) return killOfUnknown;
  for (let index = 0; index < tokens.count; index += 1) {
    if (tokens.word(index) !== "KILL" || tokens.kind(index - 1) === TokenKind.systemVariable) continue;
    return index === 0 && isOneStatement(tokens) ? parseKill(tokens, 1, lastOf(tokens)) : killOfUnknown;
  }
  return preparesKill(tokens, noBackslashEscapes) ? killOfUnknown : null;
}

/** The KILL whose words after `KILL` stand at [index, end). */
export function parseKill(tokens: Tokens, index: number, end: number): KillRequest {
  let at = index;
  if (tokens.word(at) === "HARD" || tokens.word(at) === "SOFT") at += 1;
  let scope: KillRequest["scope"] = "connection";
  if (tokens.word(at) === "QUERY") {
    scope = "query";
    at += 1;
  } else if (tokens.word(at) === "CONNECTION") at += 1;
  const of = personOf(tokens, at, end);
  if (of !== null) return { scope, id: null, of };
  return { scope, id: at + 1 === end ? threadId(tokens, at) : null };
}

/** CONNECTION_ID() or a user variable with a plain name; null: something else. */
function personOf(tokens: Tokens, at: number, end: number): NonNullable<KillRequest["of"]> | null {
  if (tokens.kind(at) === TokenKind.variable && at + 1 === end) {
    const name = /^@([A-Za-z0-9_$.]{1,64})$/.exec(tokens.slice(at))?.[1];
    return name === undefined ? null : `@${name}`;
  }
  const words = ["CONNECTION_ID", "(", ")"];
  const isOneself =
    at + words.length === end && words.every((word, index) => tokens.word(at + index) === word);
  return isOneself ? "CONNECTION_ID()" : null;
}

/** A plain number; QUERY ID n counts another thing, USER names several sessions. */
function threadId(tokens: Tokens, index: number): number | null {
  const kind = tokens.kind(index);
  if (kind !== TokenKind.number && kind !== TokenKind.string) return null;
  const digits = /^(['"]?)([0-9]{1,15})\1$/.exec(tokens.slice(index))?.[2];
  return digits === undefined ? null : Number(digits);
}

function lastOf(tokens: Tokens): number {
  let end = tokens.count;
  while (tokens.word(end - 1) === ";") end -= 1;
  return end;
}

function isOneStatement(tokens: Tokens): boolean {
  const end = lastOf(tokens);
  for (let index = 0; index < end; index += 1) if (tokens.word(index) === ";") return false;
  return true;
}

/** Whether the strings of a text that prepares another one spell KILL, be it in pieces. */
function preparesKill(tokens: Tokens, noBackslashEscapes: boolean): boolean {
  let prepares = false;
  let strings = "";
  for (let index = 0; index < tokens.count; index += 1) {
    const word = tokens.word(index);
    prepares ||= word === "PREPARE" || word === "IMMEDIATE";
    const kind = tokens.kind(index);
    if (kind === TokenKind.literals) strings += tokens.slice(index).replace(/['"]\s*,\s*['"]/g, "");
    if (kind !== TokenKind.string) continue;
    strings += decodeString(tokens.slice(index), noBackslashEscapes) ?? "";
  }
  return prepares && /(?<![\w$])kill(?![\w$])/i.test(strings);
}
