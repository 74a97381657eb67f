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

/** The arrays behind a list of tokens. To make them costs more than to read a short text, so they are used again. */
interface Buffers {
  kinds: Uint8Array;
  starts: Uint32Array;
  ends: Uint32Array;
  words: Uint16Array;
  matches: Int32Array;
}

const roomMin = 4096;

function makeBuffers(room: number): Buffers {
  return {
    kinds: new Uint8Array(room),
    starts: new Uint32Array(room),
    ends: new Uint32Array(room),
    words: new Uint16Array(room),
    matches: new Int32Array(room),
  };
}

const noBuffers = makeBuffers(0);

/** Buffers for later: a few of the smallest size, since analyses run one inside the other at most. */
const spare: Buffers[] = [];
const spareMax = 4;

/** A list of tokens that grows while a text is read. */
export class Tokens {
  /** The text, one character a byte. */
  readonly text: string;
  count = 0;
  /** Placeholders `?`. */
  parameterCount = 0;
  /** Places found where the text tells who the session is: bounded over the whole text. */
  identityCount = 0;
  /** Optimizer hints: start and end of each, in turn. */
  readonly hints: number[] = [];
  /** Marks of executable comments that run, and whole ones that do not: start and end of each, in turn. */
  readonly executableParts: number[] = [];
  /** Null: the whole text was read. Otherwise the tokens end where it could not be read. */
  refusal: LexRefusal | null = null;
  private buffers: Buffers;
  private kinds: Uint8Array;
  private starts: Uint32Array;
  private ends: Uint32Array;
  private words: Uint16Array;
  private matches: Int32Array;

  constructor(text: string) {
    this.text = text;
    this.buffers = spare.pop() ?? makeBuffers(roomMin);
    ({
      kinds: this.kinds,
      starts: this.starts,
      ends: this.ends,
      words: this.words,
      matches: this.matches,
    } = this.buffers);
  }

  /** Gives the arrays back for the next text: the list is empty from now on. Need not be called. */
  release(): void {
    const { buffers } = this;
    this.count = 0;
    this.use(noBuffers);
    if (buffers.kinds.length === roomMin && spare.length < spareMax) spare.push(buffers);
  }

  private use(buffers: Buffers): void {
    this.buffers = buffers;
    this.kinds = buffers.kinds;
    this.starts = buffers.starts;
    this.ends = buffers.ends;
    this.words = buffers.words;
    this.matches = buffers.matches;
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
    const grown = makeBuffers(Math.min(Math.max(this.kinds.length, roomMin) * 2, tokensMax));
    grown.kinds.set(this.kinds);
    grown.starts.set(this.starts);
    grown.ends.set(this.ends);
    grown.words.set(this.words);
    const small = this.buffers;
    this.use(grown);
    if (small.kinds.length === roomMin && spare.length < spareMax) spare.push(small);
  }

  /** Takes the last `howMany` tokens away; the one that is last then ends at `end`, as `kind`. */
  fold(howMany: number, kind: TokenKind, end: number): void {
    this.count -= howMany;
    const last = this.count - 1;
    this.kinds[last] = kind;
    this.ends[last] = end;
    this.words[last] = 0;
  }

  /** Takes the last `howMany` tokens away. */
  drop(howMany: number): void {
    this.count -= howMany;
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
    return index < this.count ? (this.matches[index] ?? -1) : -1;
  }

  /** Finds the partner of every parenthesis. Returns why that is impossible, or null. */
  matchParentheses(): LexRefusal | null {
    const { matches } = this;
    matches.fill(-1, 0, this.count);
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
    return null;
  }
}
