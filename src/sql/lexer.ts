// Reads a text into tokens exactly as the servers' lexers do (MySQL `sql/sql_lex.cc`, MariaDB the same; where they
// differ the flavour decides). What they would read differently from each other or from us is refused, never guessed.
// Linear in the text; knows no grammar.

import {
  beginsName,
  continuesName,
  endsDashes,
  isDigit,
  isSpace,
  nameCharacterBytes,
} from "./byte-classes.ts";
import { isUnsafe, type LexOptions } from "./dialect.ts";
import { readExecutableComment } from "./executable-comment.ts";
import { foldLiterals } from "./fold-literals.ts";
import { exponentEnd, pointNumberEnd, prefixedNumberEnd, prefixedStringEnd } from "./literal-ends.ts";
import { TokenKind, Tokens } from "./tokens.ts";
import { hashStep, wordNumber } from "./words.ts";

const code = (character: string): number => character.charCodeAt(0);
const DOUBLE_QUOTE = code('"');
const HASH = code("#");
const DOLLAR = code("$");
const QUOTE = code("'");
const CLOSE = code(")");
const STAR = code("*");
const PLUS = code("+");
const COMMA = code(",");
const MINUS = code("-");
const DOT = code(".");
const SLASH = code("/");
const QUESTION = code("?");
const AT = code("@");
const BANG = code("!");
const CAPITAL_M = code("M");
const CAPITAL_N = code("N");
const BACKSLASH = code("\\");
const BACKTICK = code("`");

const dashesBeforeComment = "two dashes before the mark of an executable comment";

/**
 * Reads `text`, one character a byte. The tokens end where it could not be read: see `refusal`. Never throws.
 * Parentheses are not matched yet.
 */
export function lex(text: string, options: LexOptions): Tokens {
  const lexer = new Lexer(text, options);
  lexer.run();
  return lexer.tokens;
}

/** Every method that reads something begins at the offset it is given and returns the one to go on at. */
class Lexer {
  readonly tokens: Tokens;
  private readonly text: string;
  private readonly options: LexOptions;
  private readonly holdsNul: boolean;
  /** Inside an executable comment that runs. */
  private executing = false;
  /** Right after a dot that is no decimal point: what follows is a name, even if it begins with a digit. */
  private nameNext = false;

  constructor(text: string, options: LexOptions) {
    this.text = text;
    this.options = options;
    this.tokens = new Tokens(text);
    this.holdsNul = text.includes("\0");
  }

  run(): void {
    const { text, tokens } = this;
    let at = 0;
    const { characterSet } = this.options;
    if (characterSet === "unreadable") this.refuse("a character set of which ASCII is no part", 0);
    if (isUnsafe(characterSet) && /[^\0-\x7f]/.test(text)) {
      this.refuse("a character set in which a quote or a backslash may be part of a character", 0);
    }
    while (at < text.length && tokens.refusal === null) {
      const here = text.charCodeAt(at);
      if (this.nameNext) {
        this.nameNext = false;
        at = this.word(at, at, "never");
      } else if (isSpace(here)) at += 1;
      else if (beginsName(here)) at = this.name(at, here);
      else if (isDigit(here)) at = this.digits(at);
      else at = this.special(at, here);
    }
    if (this.executing) this.refuse("an executable comment without an end", at);
  }

  private refuse(reason: string, at: number): number {
    this.tokens.refusal ??= { reason, offset: at };
    return at;
  }

  private add(kind: TokenKind, start: number, end: number, word = 0): number {
    return this.tokens.push(kind, start, end, word) ? end : this.refuse("too many tokens", start);
  }

  private mark(at: number, here: number): number {
    if (here === COMMA || here === CLOSE) foldLiterals(this.tokens, here === CLOSE, at);
    return this.add(TokenKind.mark, at, at + 1, here);
  }

  private special(at: number, here: number): number {
    const next = this.text.charCodeAt(at + 1);
    switch (here) {
      case 0:
        return this.refuse("a NUL byte", at);
      case QUOTE:
        return this.string(at, at);
      case DOUBLE_QUOTE:
        return this.options.ansiQuotes ? this.quotedName(at) : this.string(at, at);
      case BACKTICK:
        return this.quotedName(at);
      case HASH:
        return this.lineComment(at);
      case MINUS:
        if (next === MINUS && endsDashes(this.text.charCodeAt(at + 2))) return this.lineComment(at);
        return this.mark(at, here);
      case SLASH:
        return next === STAR ? this.comment(at) : this.mark(at, here);
      case STAR:
        return this.executing && next === SLASH ? this.endExecutable(at) : this.mark(at, here);
      case AT:
        return next === AT ? this.systemVariable(at) : this.variable(at, next);
      case DOT:
        return this.dot(at);
      case BACKSLASH:
        return next === CAPITAL_N ? this.add(TokenKind.number, at, at + 2) : this.mark(at, here);
      case QUESTION:
        this.tokens.parameterCount += 1;
        return this.add(TokenKind.parameter, at, at + 1);
      default:
        return this.mark(at, here);
    }
  }

  private lineComment(start: number): number {
    const newline = this.text.indexOf("\n", start);
    const end = newline < 0 ? this.text.length : newline + 1;
    // Servers end a line comment, and perhaps the statement, at a NUL byte.
    if (this.holdsNul && this.text.slice(start, end).includes("\0")) return this.refuse("a NUL byte", start);
    return end;
  }

  private comment(start: number): number {
    const third = this.text.charCodeAt(start + 2);
    if (third === BANG || (third === CAPITAL_M && this.text.charCodeAt(start + 3) === BANG)) {
      return this.executable(start);
    }
    const end = this.text.indexOf("*/", start + 2);
    if (end < 0) return this.refuse("a comment without an end", start);
    if (third === PLUS) this.tokens.hints.push(start + 3, end);
    return end + 2;
  }

  private executable(start: number): number {
    // Resolved into spaces it would turn the dashes into a comment.
    if (this.followsDashes(start)) return this.refuse(dashesBeforeComment, start);
    const read = readExecutableComment(this.text, start, this.options);
    if (read.refusal !== null) return this.refuse(read.refusal, start);
    // Servers end both at the first end: nobody writes that but to hide something.
    if (read.runs && this.executing) return this.refuse("an executable comment inside another", start);
    this.executing ||= read.runs;
    this.tokens.executableParts.push(start, read.end);
    return read.end;
  }

  private endExecutable(at: number): number {
    if (this.followsDashes(at)) return this.refuse(dashesBeforeComment, at);
    this.executing = false;
    this.tokens.executableParts.push(at, at + 2);
    return at + 2;
  }

  private followsDashes(at: number): boolean {
    return this.text.charCodeAt(at - 1) === MINUS && this.text.charCodeAt(at - 2) === MINUS;
  }

  /** A word, from its first byte; also a string with a prefix: N'..', x'..', b'..'. */
  private name(at: number, first: number): number {
    const { text } = this;
    if (text.charCodeAt(at + 1) === QUOTE) {
      if ((first | 0x20) === code("n")) return this.string(at, at + 1);
      const end = prefixedStringEnd(text, at);
      if (end === 0) return this.refuse("a malformed hexadecimal or binary literal", at);
      if (end > 0) return this.add(TokenKind.string, at, end);
    }
    if (first === DOLLAR && this.options.flavour === "mysql" && this.opensDollarQuote(at)) {
      return this.refuse("a dollar-quoted text", at);
    }
    return this.word(at, at, "unless it qualifies");
  }

  /** `$tag$` opens a text that ends at the next `$tag$`, from some version of MySQL on. */
  private opensDollarQuote(start: number): boolean {
    let at = start + 1;
    while (continuesName(this.text.charCodeAt(at)) && this.text.charCodeAt(at) !== DOLLAR) at += 1;
    return this.text.charCodeAt(at) === DOLLAR;
  }

  /** The word whose letters begin at `start` and are read on from `from`. */
  private word(start: number, from: number, keyword: "never" | "unless it qualifies" | "always"): number {
    const { text } = this;
    let at = from;
    let hash = 0;
    for (let here = text.charCodeAt(at); continuesName(here); here = text.charCodeAt(at)) {
      if (here > 127) {
        const bytes = nameCharacterBytes(text, at, this.options.characterSet);
        if (bytes === 0) return this.refuse("a byte that is no character of a name", at);
        at += bytes;
      } else {
        hash = hashStep(hash, here);
        at += 1;
      }
    }
    const dotted = text.charCodeAt(at) === DOT;
    // Before a dot and a name it is a name, whatever keyword it looks like.
    const qualifies = dotted && continuesName(text.charCodeAt(at + 1));
    const asked = keyword === "always" || (keyword === "unless it qualifies" && !qualifies);
    this.add(TokenKind.word, start, at, asked ? wordNumber(text, start, at, hash) : 0);
    return dotted && this.tokens.refusal === null ? this.separator(at) : at;
  }

  /** A dot that is no decimal point. */
  private separator(at: number): number {
    this.nameNext = continuesName(this.text.charCodeAt(at + 1));
    return this.add(TokenKind.mark, at, at + 1, DOT);
  }

  private dot(at: number): number {
    const next = this.text.charCodeAt(at + 1);
    if (isDigit(next)) return this.pointNumber(at);
    // MariaDB has a mark `..` for ranges.
    if (this.options.flavour !== "mariadb" || next !== DOT) return this.separator(at);
    this.add(TokenKind.mark, at, at + 1, DOT);
    return this.add(TokenKind.mark, at + 1, at + 2, DOT);
  }

  private digits(start: number): number {
    const { text } = this;
    const prefixedEnd = prefixedNumberEnd(text, start);
    if (prefixedEnd > 0) return this.add(TokenKind.number, start, prefixedEnd);
    let at = start;
    while (isDigit(text.charCodeAt(at))) at += 1;
    const next = text.charCodeAt(at);
    if (continuesName(next)) {
      // `1e5` is a number whatever follows, `1e` and `1a` are names.
      const end = exponentEnd(text, at);
      return end > 0 ? this.add(TokenKind.number, start, end) : this.word(start, at, "never");
    }
    const isRange = this.options.flavour === "mariadb" && text.charCodeAt(at + 1) === DOT;
    return next === DOT && !isRange ? this.pointNumber(start) : this.add(TokenKind.number, start, at);
  }

  private pointNumber(start: number): number {
    const end = pointNumberEnd(this.text, start);
    if (end === 0) return this.refuse("a number with an exponent that has no digits", start);
    return this.add(TokenKind.number, start, end);
  }

  /** A string whose quote stands at `opening`; its token begins at `start`. */
  private string(start: number, opening: number): number {
    const end = this.quoteEnd(opening, !this.options.noBackslashEscapes);
    if (end === 0) return this.refuse("a string without an end", start);
    return this.add(TokenKind.string, start, end);
  }

  /** The offset after the closing quote; 0: there is none. */
  private quoteEnd(opening: number, escapes: boolean): number {
    const { text } = this;
    const quote = text.charCodeAt(opening);
    for (let at = opening + 1; at < text.length; at += 1) {
      const here = text.charCodeAt(at);
      if (here === quote) {
        if (text.charCodeAt(at + 1) !== quote) return at + 1;
        at += 1;
      } else if (here === BACKSLASH && escapes) at += 1;
    }
    return 0;
  }

  private quotedName(start: number): number {
    const end = this.quoteEnd(start, false);
    if (end === 0) return this.refuse("a quoted name without an end", start);
    if (end - start === 2) return this.refuse("an empty name", start);
    if (!this.isReadableName(start + 1, end - 1)) {
      return this.refuse("a quoted name with bytes that are no characters", start);
    }
    return this.add(TokenKind.quoted, start, end);
  }

  private isReadableName(start: number, end: number): boolean {
    const { characterSet } = this.options;
    for (let at = start; at < end; ) {
      const here = this.text.charCodeAt(at);
      if (here === 0) return false;
      // Every byte is a character of latin1; of the other single-byte sets nobody here knows which.
      const isByte = here < 128 || characterSet === "latin1";
      const bytes = isByte ? 1 : nameCharacterBytes(this.text, at, characterSet);
      if (bytes === 0) return false;
      at += bytes;
    }
    return true;
  }

  private systemVariable(at: number): number {
    const nameAt = this.add(TokenKind.systemVariable, at, at + 2);
    const first = this.text.charCodeAt(nameAt);
    if (first === BACKTICK || (first === DOUBLE_QUOTE && this.options.ansiQuotes)) return nameAt;
    if (!continuesName(first)) return this.refuse("a system variable without a name", at);
    return this.word(nameAt, nameAt, "always");
  }

  private variable(at: number, next: number): number {
    if (next !== QUOTE && next !== DOUBLE_QUOTE && next !== BACKTICK) {
      return this.add(TokenKind.variable, at, this.hostEnd(at + 1));
    }
    const isString = next === QUOTE || (next === DOUBLE_QUOTE && !this.options.ansiQuotes);
    const end = this.quoteEnd(at + 1, isString && !this.options.noBackslashEscapes);
    if (end === 0) return this.refuse("a variable whose name has no end", at);
    return this.add(TokenKind.variable, at, end);
  }

  /** The letters, digits, dots, `_` and `$` after `@`. */
  private hostEnd(start: number): number {
    const { text, options } = this;
    let at = start;
    for (;;) {
      const here = text.charCodeAt(at);
      const beyond = here > 127;
      const isLetter =
        beyond && options.characterSet === "latin1" && nameCharacterBytes(text, at, "latin1") > 0;
      if (beyond ? !isLetter : !continuesName(here) && here !== DOT) return at;
      at += 1;
    }
  }
}
