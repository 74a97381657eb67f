// The state of one analysis and the small readers that all grammar files share: words, names, parentheses. Positions are
// indices of tokens; every range is [start, end).

import type { AnalysisContext } from "./analyzed-text.ts";
import { isBlank } from "./byte-classes.ts";
import type { ReadingModes } from "./dialect.ts";
import { Draft } from "./draft.ts";
import { objectNameDoubt } from "./object-name.ts";
import { reservedWords } from "./reserved-words.ts";
import { cteKey, type Scope } from "./scope.ts";
import type { IdentityName, IdentityToken, RoutineReference, TableReference } from "./statement-summary.ts";
import { unquoteName } from "./string-literal.ts";
import { TokenKind, type Tokens } from "./tokens.ts";
import { notSupported, notUnderstood } from "./uncertain.ts";
import { wordSet } from "./words.ts";

/** Readers that call each other across files; given in, so that no two files import each other. */
export interface Grammar {
  /** A whole query expression. */
  readonly query: (analysis: Analysis, start: number, end: number, scope: Scope) => void;
  /** One statement; returns its kind. */
  readonly statement: (analysis: Analysis, start: number, end: number, scope: Scope) => string;
  /** The text of a prepared statement, one character a byte; returns its kind. */
  readonly nestedText: (analysis: Analysis, text: string) => string;
}

/** A name of one or two parts. */
export interface QualifiedName {
  readonly schema: string | null;
  readonly name: string;
  /** Written with quotes. */
  readonly quoted: boolean;
  /** `.name`, as Delphi writes it. */
  readonly leadingDot: boolean;
  /** The position after it. */
  readonly next: number;
}

/** What may follow a parenthesised query within a query. */
const queryTails = wordSet("UNION EXCEPT INTERSECT ORDER LIMIT FOR LOCK INTO OFFSET FETCH");

const latin1 = new TextDecoder("windows-1252");
/** A byte order mark is a character of a name like any other. */
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** More places that tell of the session's identity, in one text, are refused: each costs memory and bytes in what is sent. */
export const identityCountMax = 10_000;

/** One statement being analysed. */
export class Analysis {
  readonly tokens: Tokens;
  readonly context: AnalysisContext;
  readonly modes: ReadingModes;
  readonly grammar: Grammar;
  readonly draft: Draft;
  /** Inside what is stored: identity functions there cannot be replaced. */
  stored = false;
  /** Names that DECLARE and parameters made in the bodies around. */
  locals: ReadonlySet<string> = new Set();

  /** The default schema was named by the statement itself. */
  named = false;

  /** Statements inside statements so far. */
  depth = 0;

  constructor(
    tokens: Tokens,
    context: AnalysisContext,
    modes: ReadingModes,
    grammar: Grammar,
    draft: Draft = new Draft(),
  ) {
    this.draft = draft;
    this.tokens = tokens;
    this.context = context;
    this.modes = modes;
    this.grammar = grammar;
  }

  /** The same statement, from here on as if `schema` were the default one; names without one count as qualified. */
  within(schema: string): Analysis {
    const inner = new Analysis(
      this.tokens,
      { ...this.context, defaultSchema: schema },
      this.modes,
      this.grammar,
      this.draft,
    );
    inner.stored = this.stored;
    inner.locals = this.locals;
    inner.depth = this.depth;
    inner.named = true;
    return inner;
  }

  /** See Tokens.word. */
  word(index: number): string {
    return this.tokens.word(index);
  }

  kind(index: number): TokenKind {
    return this.tokens.kind(index);
  }

  isMariaDb(): boolean {
    return this.context.flavour === "mariadb";
  }

  /** Whether the words stand one after the other from `index` on. */
  isPhrase(index: number, ...words: readonly string[]): boolean {
    return words.every((word, offset) => this.word(index + offset) === word);
  }

  /** Any name or keyword: after a dot all of them are names. */
  isIdentifier(index: number): boolean {
    const kind = this.kind(index);
    return kind === TokenKind.word || kind === TokenKind.quoted;
  }

  /** What every server takes for a name where it may as well be a keyword. */
  isName(index: number): boolean {
    const kind = this.kind(index);
    return kind === TokenKind.quoted || (kind === TokenKind.word && !reservedWords.has(this.word(index)));
  }

  /** The name at `index`, without quotes, decoded. */
  nameAt(index: number): string {
    const written = this.tokens.slice(index);
    const bytes = this.kind(index) === TokenKind.quoted ? unquoteName(written) : written;
    return decodeName(bytes, this.context.characterSet === "latin1");
  }

  /** Behind the parenthesis at `index` and what it holds, or behind the token. */
  skip(index: number): number {
    return this.word(index) === "(" ? this.closing(index) + 1 : index + 1;
  }

  /** The partner of the parenthesis at `index`. */
  closing(index: number): number {
    const closing = this.tokens.match(index);
    return closing < 0 ? notUnderstood("a parenthesis without its partner") : closing;
  }

  /** Behind the parenthesis at `index`; there must be one. */
  skipGroup(index: number): number {
    if (this.word(index) !== "(") notUnderstood(`a parenthesis is expected ${this.near(index)}`);
    return this.closing(index) + 1;
  }

  expect(index: number, end: number, ...words: readonly string[]): number {
    if (index + words.length > end || !this.isPhrase(index, ...words)) {
      notUnderstood(`${words.join(" ")} is expected ${this.near(index)}`);
    }
    return index + words.length;
  }

  /** Where something is wrong: an offset, never the text itself. */
  near(index: number): string {
    return index < this.tokens.count ? `at byte ${this.tokens.start(index)}` : "at the end";
  }

  /** A name of at most two parts. */
  qualifiedName(index: number, end: number): QualifiedName {
    let at = index;
    const leadingDot = this.word(at) === ".";
    if (leadingDot) at += 1;
    if (at >= end || !(leadingDot ? this.isIdentifier(at) : this.isName(at))) {
      notUnderstood(`a name is expected ${this.near(at)}`);
    }
    const first = this.nameAt(at);
    const quoted = this.kind(at) === TokenKind.quoted;
    at += 1;
    if (this.word(at) !== "." || at + 1 >= end || !this.isIdentifier(at + 1) || leadingDot) {
      return { schema: null, name: first, quoted, leadingDot, next: at };
    }
    const name = this.nameAt(at + 1);
    at += 2;
    if (this.word(at) === "." && this.isIdentifier(at + 1)) notSupported("a name of three parts");
    return { schema: first, name, quoted, leadingDot, next: at };
  }

  /** The table of that name, its schema filled in. */
  tableOf({ schema, name }: { readonly schema: string | null; readonly name: string }): TableReference {
    for (const part of [schema, name]) {
      const doubt = part === null ? null : objectNameDoubt(part);
      if (doubt !== null) notSupported(`a table that cannot be compared: ${doubt}`);
    }
    return {
      schema: schema ?? this.context.defaultSchema,
      name,
      qualified: schema !== null || this.named,
    };
  }

  routineOf({ schema, name }: { readonly schema: string | null; readonly name: string }): RoutineReference {
    for (const part of [schema, name]) {
      const doubt = part === null ? null : objectNameDoubt(part);
      if (doubt !== null) notSupported(`a routine that cannot be compared: ${doubt}`);
    }
    return { schema: schema ?? this.context.defaultSchema, name };
  }

  /** Reads a table's name and adds it to the lists; returns the position after it. */
  table(index: number, end: number, ...lists: readonly ("reads" | "writes" | "changes")[]): number {
    const name = this.qualifiedName(index, end);
    const table = this.tableOf(name);
    for (const list of lists) this.draft[list].add(table);
    return name.next;
  }

  /** Reads names of tables with commas between; `after` skips what belongs to each. */
  tables(index: number, end: number, lists: readonly ("reads" | "writes" | "changes")[]): number {
    let at = this.table(index, end, ...lists);
    while (at < end && this.word(at) === ",") at = this.table(at + 1, end, ...lists);
    return at;
  }

  /** Notes that the tokens [first, last] tell of the session's identity. */
  noteToken(name: IdentityName, first: number, last: number, more: Partial<IdentityToken> = {}): void {
    const { tokens, draft, stored } = this;
    tokens.identityCount += 1;
    if (tokens.identityCount > identityCountMax + 1) return;
    const place = stored ? "stored" : tokens.identityCount > identityCountMax ? "beyond" : "text";
    const [start, end] = [tokens.start(first), tokens.end(last)];
    draft.identityTokens.push({ name, start, end, place, global: false, ...more });
  }

  /**
   * Whether the parenthesis behind the name at `at` makes it a call: right behind it, or, with IGNORE_SPACE, behind white space.
   * A comment is none (measured).
   */
  isCallBy(at: number): boolean {
    const [from, to] = [this.tokens.end(at), this.tokens.start(at + 1)];
    return from === to || (this.modes.ignoreSpace && isBlank(this.tokens.text, from, to));
  }

  /** How this server compares names of common table expressions. */
  cteKey(name: string): string {
    const folded = this.isMariaDb() || this.context.lowerCaseTableNames !== 0;
    return cteKey(name, { folded });
  }

  /** Whether the parenthesis at `index` holds a query: not a list, a join, or an expression that begins with one. */
  opensQuery(index: number): boolean {
    if (this.word(index) !== "(") return false;
    let at = index;
    while (this.word(at + 1) === "(") {
      const closing = this.closing(at);
      const inner = this.closing(at + 1);
      if (inner + 1 < closing && !queryTails.has(this.word(inner + 1))) return false;
      // What stands behind the inner one is a set operator or a clause of a query.
      at += 1;
    }
    const word = this.kind(at + 1) === TokenKind.word ? this.word(at + 1) : "";
    return word === "SELECT" || word === "WITH" || word === "VALUES" || word === "TABLE";
  }

  /** Nothing may be left. */
  finishAt(index: number, end: number): void {
    if (index < end) notUnderstood(`something unexpected stands ${this.near(index)}`);
  }
}

/** A name as text: UTF-8, or latin1 as servers have it; bytes that are neither become U+FFFD, which is refused. */
export function decodeName(bytes: string, isLatin1: boolean): string {
  if (/^[\0-\x7f]*$/.test(bytes)) return ownCopy(bytes);
  const raw = Uint8Array.from(bytes, (character) => character.charCodeAt(0));
  return (isLatin1 ? latin1 : utf8).decode(raw);
}

/** Longer parts of a string keep the whole string alive, which here is a client's text with its literals. */
const sharedCharactersMin = 13;

function ownCopy(part: string): string {
  return part.length < sharedCharactersMin ? part : Buffer.from(part, "latin1").toString("latin1");
}
