// Strict JSON (RFC 8259) with what JSON.parse does not tell: every place, duplicate keys, and sentences that help.
// Mistakes that leave the meaning clear (a trailing comma, a comment, a duplicate key) are noted and read over, so that
// one run reports them all; the result then still counts as invalid.

import { runAtOnce, type Steps } from "./steps.ts";

/** Deeper nesting than this is a problem: the files read here need fewer than ten levels. */
export const jsonDepthMax = 64;

/** A mistake at a place of the text. */
export interface JsonMistake {
  /** UTF-16 code units from the start of the text. */
  readonly offset: number;
  readonly pointer: string;
  readonly message: string;
}

/** Where one member of an object or array stands in the text; `end` is the offset behind its value. */
export interface MemberOffsets {
  readonly key: number;
  readonly value: number;
  readonly end: number;
}

/** What {@link parseJsonText} found. `value` is undefined when the text could not be read to its end. */
export interface JsonText {
  readonly value: unknown;
  readonly mistakes: readonly JsonMistake[];
  /** Offset of the outermost value. */
  readonly start: number;
  /** Per object or array of `value`; filled only when asked for. */
  readonly offsets: ReadonlyMap<object, ReadonlyMap<string, MemberOffsets>>;
}

/** A member with its name. */
type NamedMember = MemberOffsets & { readonly name: string };

/** An object or array that is being read. */
interface OpenMembers {
  readonly opening: number;
  readonly closing: string;
  readonly offsets: Map<string, MemberOffsets>;
}

/** So much of the text is read between two steps. */
const charactersPerStep = 8192;

const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

/** Ends the reading at a mistake after which the meaning of the text is not clear. */
class Unreadable extends Error {}

/**
 * Reads `text`. A leading byte order mark is skipped. With `recordOffsets` the place of every member is kept, which
 * costs several times the memory of the value: ask for it only once a problem has to be located.
 */
export function parseJsonText(text: string, options: { readonly recordOffsets: boolean }): JsonText {
  return runAtOnce(stepsOfParsing(text, options));
}

/** The same in steps: it may rest between two members of the outermost object. */
export function stepsOfParsing(text: string, options: { readonly recordOffsets: boolean }): Steps<JsonText> {
  return new JsonReader(text, options.recordOffsets).read();
}

/** Turns an offset into line and column, both from 1. For several offsets of one text see {@link lineFinder}. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  return lineFinder(text)(offset);
}

/** Of so many lines the start of one is kept: a file may be 64 MiB of line ends. */
const linesPerMark = 256;

/** Turns offsets into lines and columns, both from 1. The text is read once, by the first question. */
export function lineFinder(text: string): (offset: number) => { line: number; column: number } {
  let marks: number[] | undefined;
  return (offset) => {
    marks ??= lineMarks(text);
    // The last mark at or before the offset.
    let low = 0;
    let high = marks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((marks[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    let line = low * linesPerMark + 1;
    let start = marks[low] ?? 0;
    for (;;) {
      const end = text.indexOf("\n", start);
      if (end === -1 || end >= offset) return { line, column: offset - start + 1 };
      start = end + 1;
      line += 1;
    }
  };
}

/** Where the lines 1, 257, 513, ... begin. */
function lineMarks(text: string): number[] {
  const marks = [text.charCodeAt(0) === 0xfeff ? 1 : 0];
  let lines = 1;
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) {
    if (lines % linesPerMark === 0) marks.push(end + 1);
    lines += 1;
  }
  return marks;
}

/** Adds a member's name to a JSON pointer. */
export function joinPointer(pointer: string, name: string | number): string {
  return `${pointer}/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The names of a JSON pointer. */
export function splitPointer(pointer: string): string[] {
  if (pointer === "") return [];
  return pointer
    .slice(1)
    .split("/")
    .map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class JsonReader {
  private readonly text: string;
  private readonly recordOffsets: boolean;
  private readonly mistakes: JsonMistake[] = [];
  private readonly offsets = new Map<object, Map<string, MemberOffsets>>();
  private readonly path: (string | number)[] = [];
  private at = 0;

  constructor(text: string, recordOffsets: boolean) {
    this.text = text;
    this.recordOffsets = recordOffsets;
  }

  *read(): Steps<JsonText> {
    let value: unknown;
    let start = 0;
    try {
      if (this.text.charCodeAt(0) === 0xfeff) this.at = 1;
      this.skipSpace();
      start = this.at;
      if (this.at >= this.text.length) this.fail("The file is empty: expected a JSON object");
      value = this.text[start] === "{" ? yield* this.readOutermostObject() : this.readValue();
      this.skipSpace();
      if (this.at < this.text.length) this.fail(`Unexpected ${this.here()} after the end of the JSON value`);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      value = undefined;
    }
    return { value, mistakes: this.mistakes, start, offsets: this.offsets };
  }

  private readValue(): unknown {
    const character = this.text[this.at];
    if (character === "{") return this.readObject();
    if (character === "[") return this.readArray();
    if (character === '"') return this.readString();
    if (character !== undefined && /[-0-9]/.test(character)) return this.readNumber();
    for (const [word, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    if (character === "'") this.fail("Expected a value in double quotes, found a single quote");
    return this.fail(`Expected a value, found ${this.here()}`);
  }

  private *readOutermostObject(): Steps<Record<string, unknown>> {
    const object: Record<string, unknown> = {};
    const members = this.openMembers(object, "}");
    let rested = this.at;
    while (members !== null && this.readMember(members, () => this.readObjectMember(object))) {
      if (this.at - rested < charactersPerStep) continue;
      rested = this.at;
      yield;
    }
    return object;
  }

  private readObject(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.readMembers(object, "}", () => this.readObjectMember(object));
    return object;
  }

  private readObjectMember(object: Record<string, unknown>): NamedMember {
    if (this.text[this.at] !== '"') this.fail(`Expected a key in double quotes, found ${this.here()}`);
    const keyOffset = this.at;
    const key = this.readString();
    this.skipSpace();
    if (this.text[this.at] !== ":") this.fail(`Expected ':' after the key, found ${this.here()}`);
    this.at += 1;
    this.skipSpace();
    const valueOffset = this.at;
    this.path.push(key);
    const value = this.readValue();
    if (Object.hasOwn(object, key)) this.note(keyOffset, `Duplicate key '${shown(key)}'`);
    this.path.pop();
    if (key === "__proto__") {
      Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
    } else {
      object[key] = value;
    }
    return { name: key, key: keyOffset, value: valueOffset, end: this.at };
  }

  private readArray(): unknown[] {
    const array: unknown[] = [];
    this.readMembers(array, "]", () => {
      const valueOffset = this.at;
      this.path.push(array.length);
      array.push(this.readValue());
      this.path.pop();
      return { name: String(array.length - 1), key: valueOffset, value: valueOffset, end: this.at };
    });
    return array;
  }

  private readMembers(container: object, closing: string, readMember: () => NamedMember): void {
    const members = this.openMembers(container, closing);
    while (members !== null && this.readMember(members, readMember));
  }

  /** Goes to the first member; null: there is none. */
  private openMembers(container: object, closing: string): OpenMembers | null {
    if (this.path.length >= jsonDepthMax) this.fail(`Nesting is deeper than ${jsonDepthMax} levels`);
    const offsets = new Map<string, MemberOffsets>();
    if (this.recordOffsets) this.offsets.set(container, offsets);
    const opening = this.at;
    this.at += 1;
    this.skipSpace();
    if (this.text[this.at] !== closing) return { opening, closing, offsets };
    this.at += 1;
    return null;
  }

  /** Reads one member and what is behind it; whether another one follows. */
  private readMember({ opening, closing, offsets }: OpenMembers, readMember: () => NamedMember): boolean {
    if (this.at >= this.text.length) this.failUnclosed(opening);
    const member = readMember();
    if (this.recordOffsets)
      offsets.set(member.name, { key: member.key, value: member.value, end: member.end });
    this.skipSpace();
    const separator = this.text[this.at];
    if (separator === undefined) this.failUnclosed(opening);
    if (separator !== "," && separator !== closing)
      this.fail(`Expected ',' or '${closing}', found ${this.here()}`);
    const comma = this.at;
    this.at += 1;
    if (separator === closing) return false;
    this.skipSpace();
    if (this.text[this.at] !== closing) return true;
    this.note(comma, `Trailing comma before '${closing}': JSON allows none, remove it`);
    this.at += 1;
    return false;
  }

  private readString(): string {
    const opening = this.at;
    let result = "";
    let runStart = opening + 1;
    for (let at = runStart; ; at++) {
      const code = this.text.charCodeAt(at);
      if (code === 0x22) {
        this.at = at + 1;
        result += this.text.slice(runStart, at);
        if (loneSurrogate.test(result)) this.note(opening, "String holds half of a surrogate pair");
        return result;
      }
      if (code === 0x5c) {
        result += this.text.slice(runStart, at);
        this.at = at;
        result += this.readEscape();
        at = this.at - 1;
        runStart = this.at;
      } else if (!(code >= 0x20)) {
        // Also NaN: the end of the text.
        this.at = opening;
        this.fail(
          code === 0x0a || code === 0x0d || Number.isNaN(code)
            ? "String is not closed before the end of its line"
            : `String holds the control character ${hex(code)}: write it as \\u${hex(code).slice(2).padStart(4, "0")}`,
        );
      }
    }
  }

  private readEscape(): string {
    const letter = this.text[this.at + 1] ?? "";
    const plain = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (plain !== undefined) {
      this.at += 2;
      return plain;
    }
    const digits = this.text.slice(this.at + 2, this.at + 6);
    if (letter !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits)) {
      this.fail("Unknown escape in a string: a backslash itself is written \\\\");
    }
    this.at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  private readNumber(): number {
    const pattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
    pattern.lastIndex = this.at;
    const written = pattern.exec(this.text)?.[0];
    if (written === undefined) return this.fail("Malformed number");
    if (/[\w.]/.test(this.text[this.at + written.length] ?? "")) this.fail("Malformed number");
    const value = Number(written);
    if (!Number.isFinite(value)) this.note(this.at, "Number is too large");
    this.at += written.length;
    return value;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) this.at += 1;
      else if (code === 0x2f || code === 0x23) this.skipComment();
      else return;
    }
  }

  private skipComment(): void {
    const opening = this.at;
    let end = -1;
    if (this.text.startsWith("/*", opening)) {
      end = this.text.indexOf("*/", opening + 2);
      if (end === -1) this.fail("Comment is not closed");
      end += 2;
    } else if (this.text.startsWith("//", opening) || this.text[opening] === "#") {
      end = this.text.indexOf("\n", opening);
      if (end === -1) end = this.text.length;
    } else {
      this.fail(`Unexpected ${this.here()}`);
    }
    this.note(opening, "Comments are not part of JSON: use a 'Comment' key where the file knows one");
    this.at = end;
  }

  private here(): string {
    const character = this.text.codePointAt(this.at);
    if (character === undefined) return "the end of the file";
    return character > 0x20 && character !== 0x7f ? `'${String.fromCodePoint(character)}'` : hex(character);
  }

  private note(offset: number, message: string): void {
    const pointer = this.path.reduce<string>((joined, name) => joinPointer(joined, name), "");
    this.mistakes.push({ offset, pointer, message });
  }

  private fail(message: string): never {
    this.note(this.at, message);
    throw new Unreadable();
  }

  private failUnclosed(opening: number): never {
    const { line, column } = lineAndColumn(this.text, opening);
    this.fail(`The file ends before the '${this.text[opening]}' of ${line}:${column} is closed`);
  }
}

function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}

function shown(name: string): string {
  return name.length > 80 ? `${name.slice(0, 77)}...` : name;
}
