// --caller_id_comment: every statement that is forwarded begins with a comment that says whose it is, so that the database's
// own logs and process list tell it too. Nothing in it can end the comment or mean anything to a server.

import { lex } from "../sql/lexer.ts";
import type { TextEdit } from "../sql/text-edits.ts";
import type { CommandLoop } from "./command-loop.ts";
import { lexOptionsOf } from "./reading.ts";
import type { StatementText } from "./statement-text.ts";

/** Longer names are cut, in bytes as written. */
const valueBytesMax = 256;

/** The comment with these values, each safe whatever it holds. */
export function callerComment(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([name, value]) => `${name}='${plain(value)}'`);
  return `/* gatehouse:${pairs.join(",")} */ `;
}

/** Letters, digits and a few marks as they are, every other byte as `%2A`: the encoding of URLs. */
function plain(value: string): string {
  let written = "";
  for (const byte of Buffer.from(value, "utf8")) {
    const character = String.fromCharCode(byte);
    const next = /[A-Za-z0-9_.@-]/.test(character)
      ? character
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    if (written.length + next.length > valueBytesMax) break;
    written += next;
  }
  return written;
}

/** The comments of one command's text; none where the flag is off. */
export function callerComments(
  loop: CommandLoop,
  sql: Uint8Array,
  text: StatementText,
  shared: boolean,
): TextEdit[] {
  const { identity, id } = loop.state;
  if (!loop.services.callerIdComment || identity === null) return [];
  const whose = { user_data: identity.callerId.username, user: identity.loginUser };
  const comment = Buffer.from(callerComment(shared ? whose : { ...whose, id: String(id) }), "ascii");
  return statementStarts(loop, sql, text).map((start) => ({ start, end: start, text: comment }));
}

/** Statements with semicolons of their own inside: a comment there might be stored. */
const withBodies = /^(CREATE|ALTER|COMPOUND)\b/;

function statementStarts(
  loop: CommandLoop,
  sql: Uint8Array,
  { statements, uncertain }: StatementText,
): number[] {
  // What is not understood may have its semicolons in strings.
  if (statements.length === 1 || uncertain || statements.some(({ kind }) => withBodies.test(kind)))
    return [0];
  const written = Buffer.from(sql.buffer, sql.byteOffset, sql.length).toString("latin1");
  const tokens = lex(written, lexOptionsOf(loop.state, loop.services.readingServer()));
  const starts = [0];
  // Inside an executable comment there is no place for another one.
  if (tokens.refusal === null && tokens.executableParts.length === 0) {
    for (let at = 0; at + 1 < tokens.count; at += 1) {
      if (tokens.word(at) === ";" && tokens.word(at + 1) !== ";") starts.push(tokens.end(at));
    }
  }
  tokens.release();
  return starts;
}
