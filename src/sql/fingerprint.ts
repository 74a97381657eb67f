// The shape of a text: its tokens without the values of literals. Texts of one shape mean the same to the analyser, except
// where a literal is structure; the cache asks for that. For look-ups only: nobody reads it.

import { isBlank } from "./byte-classes.ts";
import { reservedWords } from "./reserved-words.ts";
import { TokenKind, type Tokens } from "./tokens.ts";

// Control characters cannot stand in what is taken over from the text: a name with one would be in quotes, and is kept
// in them, so no two shapes look alike.
const adjacent = "\x01";
const numberMark = "\x02";
const stringMark = "\x03";
const literalsMark = "\x04";
const commented = "\x05";

/**
 * The shape of a text that was read to its end. Reserved words lose their case, other words are names and keep it; white
 * space and comments become one space, and whether there was any is kept: `count (` is not `count(`.
 */
export function fingerprint(tokens: Tokens): string {
  let shape = "";
  let last = 0;
  for (let index = 0; index < tokens.count; index += 1) {
    const start = tokens.start(index);
    shape += (start === last && index > 0 ? adjacent : gap(tokens, index, last, start)) + part(tokens, index);
    last = tokens.end(index);
  }
  return shape;
}

/** Before a parenthesis white space and comments differ: see Analysis.isCallBy. */
function gap(tokens: Tokens, index: number, last: number, start: number): string {
  return tokens.word(index) === "(" && !isBlank(tokens.text, last, start) ? commented : " ";
}

function part(tokens: Tokens, index: number): string {
  switch (tokens.kind(index)) {
    case TokenKind.number:
      return numberMark;
    case TokenKind.string:
      return stringMark;
    case TokenKind.literals:
      return literalsMark;
    case TokenKind.word: {
      const word = tokens.word(index);
      return reservedWords.has(word) ? word : tokens.slice(index);
    }
    default:
      return tokens.slice(index);
  }
}
