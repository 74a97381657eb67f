// The tokens of one text: offsets into it, never copies. Kept in typed arrays so that a text of 16 MiB costs bounded
// memory; the analyser reads them through the few methods here.

import { wordNames } from "./words.ts";

/** What a token is. */
export const TokenKind = {
  /** Past the last token. */
  none: 0,
  /** A name without quotes, or a keyword: `word()` tells the keyword. */
  word: 1,
  /** A name in backticks, or in double quotes under ANSI_QUOTES. */
  quoted: 2,
  /** A string, also N'..', x'..' and b'..'. */
  string: 3,
  /** A number, also 0x.., 0b.. and \N. */
  number: 4,
  /** One character of punctuation: `word()` tells it. */
  mark: 5,
  /** A user variable, from the `@` to the end of its name; also the host of an account. */
  variable: 6,
  /** `@@`; the name follows. */
  systemVariable: 7,
  /** Several literals between parentheses, and the commas between them. */
  literals: 8,
  /** `?`. */
  parameter: 9,
} as const;

/** One of TokenKind. */
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

/** Where a text could not be read any further, and why. */
export interface LexRefusal {
  readonly reason: string;
  /** Offset in bytes. */
  readonly offset: number;
}

/** More tokens than this are refused: 15 bytes each. Literals of lists are not counted. */
export const tokensMax = 1 << 22;

/** Deeper parentheses are refused: each level costs some frames of the stack. */
export const nestingMax = 200;

/** A list of tokens that grows while a text is read. */
export class Tokens {
  /** The text, one character a byte. */
  readonly text: string;
  count = 0;
  /** Placeholders `?`. */
  parameterCount = 0;
  /** Optimizer hints: start and end of each, in turn. */
  readonly hints: number[] = [];
  /** Marks of executable comments that run, and whole ones that do not: start and end of each, in turn. */
  readonly executableParts: number[] = [];
  /** Null: the whole text was read. Otherwise the tokens end where it could not be read. */
  refusal: LexRefusal | null = null;
  private kinds: Uint8Array;
  private starts: Uint32Array;
  private ends: Uint32Array;
  private words: Uint16Array;
  private matches: Int32Array = new Int32Array(0);

  constructor(text: string) {
    this.text = text;
    const room = Math.min((text.length >> 2) + 16, 4096);
    this.kinds = new Uint8Array(room);
    this.starts = new Uint32Array(room);
    this.ends = new Uint32Array(room);
    this.words = new Uint16Array(room);
  }

  /** Adds a token. False: there are too many. */
  push(kind: TokenKind, start: number, end: number, word: number): boolean {
    if (this.count === this.kinds.length) {
      if (this.count >= tokensMax) return false;
      this.grow();
    }
    const index = this.count;
    this.kinds[index] = kind;
    this.starts[index] = start;
    this.ends[index] = end;
    this.words[index] = word;
    this.count = index + 1;
    return true;
  }

  private grow(): void {
    const room = Math.min(this.kinds.length * 2, tokensMax);
    const kinds = new Uint8Array(room);
    kinds.set(this.kinds);
    this.kinds = kinds;
    const starts = new Uint32Array(room);
    starts.set(this.starts);
    this.starts = starts;
    const ends = new Uint32Array(room);
    ends.set(this.ends);
    this.ends = ends;
    const words = new Uint16Array(room);
    words.set(this.words);
    this.words = words;
  }

  /** Takes the last `howMany` tokens away; the one that is last then ends at `end`, as `kind`. */
  fold(howMany: number, kind: TokenKind, end: number): void {
    this.count -= howMany;
    const last = this.count - 1;
    this.kinds[last] = kind;
    this.ends[last] = end;
    this.words[last] = 0;
  }

  kind(index: number): TokenKind {
    return index < this.count && index >= 0 ? ((this.kinds[index] ?? 0) as TokenKind) : TokenKind.none;
  }

  /** The keyword in capitals, the character of a mark, else the empty string. Never for a quoted name. */
  word(index: number): string {
    if (index >= this.count || index < 0) return "";
    return wordNames[this.words[index] ?? 0] ?? "";
  }

  start(index: number): number {
    return index < this.count ? (this.starts[index] ?? 0) : this.text.length;
  }

  end(index: number): number {
    return index < this.count ? (this.ends[index] ?? 0) : this.text.length;
  }

  /** The token as written. */
  slice(index: number): string {
    return this.text.slice(this.start(index), this.end(index));
  }

  /** The closing parenthesis of the one at `index`; -1: none. Known after `matchParentheses`. */
  match(index: number): number {
    return this.matches[index] ?? -1;
  }

  /** Finds the partner of every parenthesis. Returns why that is impossible, or null. */
  matchParentheses(): LexRefusal | null {
    const matches = new Int32Array(this.count).fill(-1);
    const open: number[] = [];
    for (let index = 0; index < this.count; index += 1) {
      if (this.kinds[index] !== TokenKind.mark) continue;
      const word = wordNames[this.words[index] ?? 0];
      if (word === "(") {
        if (open.length >= nestingMax)
          return { reason: "too many nested parentheses", offset: this.start(index) };
        open.push(index);
      } else if (word === ")" || (word === ";" && open.length > 0)) {
        const opening = open.pop();
        if (opening === undefined || word === ";") {
          return { reason: "a parenthesis without its partner", offset: this.start(index) };
        }
        matches[opening] = index;
      }
    }
    const [left] = open;
    if (left !== undefined) return { reason: "a parenthesis without its partner", offset: this.start(left) };
    this.matches = matches;
    return null;
  }
}
