// KILL among other statements of one text: where each stands, so that the gateway can put something harmless in its
// place and do the kill itself.

import type { LexOptions } from "./dialect.ts";
import { parseKill } from "./kill.ts";
import { lex } from "./lexer.ts";
import type { KillRequest } from "./statement-summary.ts";

/** One KILL of a text. */
export interface KillSite {
  /** Characters of the statement, without its semicolon. */
  readonly start: number;
  readonly end: number;
  /** Which statement of the text it is, from 0. */
  readonly statementIndex: number;
  readonly request: KillRequest;
}

/**
 * The KILLs of a text (one character a byte). null: the word stands where no statement begins, or the text cannot be
 * read to its end; then nothing may be relayed.
 */
export function killsAmongOthers(text: string, options: LexOptions): readonly KillSite[] | null {
  const tokens = lex(text, options);
  if (tokens.refusal !== null) return null;
  const sites: KillSite[] = [];
  let first = 0;
  let statementIndex = 0;
  for (let index = 0; index <= tokens.count; index += 1) {
    const atEnd = index === tokens.count || tokens.slice(index) === ";";
    if (!atEnd) {
      if (index > first && tokens.word(index) === "KILL") return null;
      continue;
    }
    if (index > first) {
      if (tokens.word(first) === "KILL") {
        const request = parseKill(tokens, first + 1, index);
        sites.push({ start: tokens.start(first), end: tokens.end(index - 1), statementIndex, request });
      }
      statementIndex += 1;
    }
    first = index + 1;
  }
  return sites;
}
