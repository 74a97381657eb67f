// Analyses are kept by exact text and by shape, per context, within one limit in bytes. A hit by text is one look-up in a
// map. What depends on a literal, or on where things stand in the text, is kept by exact text only.

import { assert } from "../base/assert.ts";
import { BoundedCache } from "../base/bounded-cache.ts";
import { analyzeTokens, lexInContext } from "./analyze.ts";
import type { AnalysisContext, AnalyzedText } from "./analyzed-text.ts";
import type { ReadingModes } from "./dialect.ts";
import { fingerprint } from "./fingerprint.ts";
import type { StatementSummary } from "./statement-summary.ts";
import type { Tokens } from "./tokens.ts";

/** The limits of a cache. */
export interface StatementCacheOptions {
  /** Bytes of all entries together, as counted below. @default 32 MiB */
  readonly bytesMax?: number;
  /** Longer texts are analysed anew every time, bytes. @default 16 KiB */
  readonly textBytesMax?: number;
}

/** How often the cache could answer. */
export interface StatementCacheFigures {
  readonly textHits: number;
  readonly shapeHits: number;
  readonly misses: number;
  readonly evictions: number;
  readonly entries: number;
  readonly bytes: number;
}

interface Slot {
  readonly map: Map<string, Slot>;
  readonly key: string;
  readonly analyzed: AnalyzedText;
  readonly bytes: number;
  /** Read since it was last passed over: lives one round longer. */
  used: boolean;
  /** The one that was kept next. */
  younger: Slot | null;
}

interface Shelf {
  readonly texts: Map<string, Slot>;
  readonly shapes: Map<string, Slot>;
}

/** An entry's fixed cost, and that of each name in it, in bytes: estimates on the high side. */
const slotBytes = 600;
const nameBytes = 160;
const contextsMax = 512;

/** Kinds whose summary tells nothing of a literal. */
const shapedKinds: ReadonlySet<string> = new Set([
  "SELECT",
  "VALUES",
  "INSERT",
  "REPLACE",
  "UPDATE",
  "DELETE",
  "CALL",
]);

const seenMask = 8191;
const sampledCharacters = 64;

/** Of the beginning, the end and the length: texts of one shape differ in their literals, which stand anywhere. */
function sampleHash(text: string): number {
  let hash = text.length;
  const { length } = text;
  const head = Math.min(length, sampledCharacters);
  for (let at = 0; at < head; at += 1) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  for (let at = Math.max(head, length - sampledCharacters); at < length; at += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash === 0 ? 1 : hash;
}

/** Analyses texts, and remembers. The same object comes back for the same text in the same context. */
export class StatementCache {
  private readonly bytesMax: number;
  private readonly textBytesMax: number;
  private shelves = new WeakMap<AnalysisContext, Shelf>();
  /** All entries, the oldest first: a chain, since a Set that loses its first elements gets slow at finding the next. */
  private oldest: Slot | null = null;
  private newest: Slot | null = null;
  private entries = 0;
  /** What texts of a known shape looked like when they were last met: only those that come again are kept. */
  private readonly seenOnce = new Int32Array(seenMask + 1);
  private bytes = 0;
  private textHits = 0;
  private shapeHits = 0;
  private misses = 0;
  private evictions = 0;

  constructor(options: StatementCacheOptions = {}) {
    this.bytesMax = options.bytesMax ?? 32 << 20;
    this.textBytesMax = options.textBytesMax ?? 16 << 10;
  }

  /** The analysis of a text. `context` must come from `internContext`. */
  analyze(text: Uint8Array, context: AnalysisContext): AnalyzedText {
    const bytes = Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1");
    if (bytes.length > this.textBytesMax) return this.miss(bytes, context);
    const shelf = this.shelf(context);
    const known = shelf.texts.get(bytes);
    if (known !== undefined) {
      known.used = true;
      this.textHits += 1;
      return known.analyzed;
    }
    return this.byShape(bytes, context, shelf);
  }

  get figures(): StatementCacheFigures {
    const { textHits, shapeHits, misses, evictions, bytes, entries } = this;
    return { textHits, shapeHits, misses, evictions, entries, bytes };
  }

  /** Forgets everything. */
  clear(): void {
    this.shelves = new WeakMap();
    this.oldest = null;
    this.newest = null;
    this.entries = 0;
    this.bytes = 0;
  }

  private byShape(text: string, context: AnalysisContext, shelf: Shelf): AnalyzedText {
    // In unknown modes there is no one reading of the text whose shape could count.
    const tokens = context.modes === null ? null : lexInContext(text, context, context.modes);
    const analyzed = this.byTokens(text, context, shelf, tokens);
    tokens?.release();
    return analyzed;
  }

  private byTokens(
    text: string,
    context: AnalysisContext,
    shelf: Shelf,
    tokens: Tokens | null,
  ): AnalyzedText {
    // Hints set variables; executable comments stand at places of their own text.
    const hasShape = tokens?.refusal === null && tokens.hints.length + tokens.executableParts.length === 0;
    const shape = tokens !== null && hasShape ? fingerprint(tokens) : null;
    const known = shape === null ? undefined : shelf.shapes.get(shape);
    if (known !== undefined) {
      known.used = true;
      this.shapeHits += 1;
      if (this.isSeenAgain(text)) this.keep(shelf.texts, text, known.analyzed, 0);
      return known.analyzed;
    }
    this.misses += 1;
    const analyzed = analyzeTokens(text, context, tokens);
    const names = namesIn(analyzed);
    const isShared = shape !== null && dependsOnShapeOnly(analyzed);
    if (isShared) this.keep(shelf.shapes, shape, analyzed, names);
    this.keep(shelf.texts, text, analyzed, isShared ? 0 : names);
    return analyzed;
  }

  private miss(text: string, context: AnalysisContext): AnalyzedText {
    this.misses += 1;
    return analyzeTokens(text, context, null);
  }

  private shelf(context: AnalysisContext): Shelf {
    const known = this.shelves.get(context);
    if (known !== undefined) return known;
    assert(Object.isFrozen(context), "the context of an analysis does not come from internContext");
    const made: Shelf = { texts: new Map(), shapes: new Map() };
    this.shelves.set(context, made);
    return made;
  }

  private keep(map: Map<string, Slot>, key: string, analyzed: AnalyzedText, names: number): void {
    const bytes = slotBytes + key.length + names * nameBytes;
    if (bytes > this.bytesMax) return;
    while (this.bytes + bytes > this.bytesMax) this.evictOne();
    const slot: Slot = { map, key, analyzed, bytes, used: false, younger: null };
    map.set(key, slot);
    this.append(slot);
    this.bytes += bytes;
    this.entries += 1;
  }

  private append(slot: Slot): void {
    slot.younger = null;
    if (this.newest === null) this.oldest = slot;
    else this.newest.younger = slot;
    this.newest = slot;
  }

  /** Whether the text was met not long ago; a mistake costs a place in the cache, or the reading of a text. */
  private isSeenAgain(text: string): boolean {
    const hash = sampleHash(text);
    const at = hash & seenMask;
    if (this.seenOnce[at] === hash) return true;
    this.seenOnce[at] = hash;
    return false;
  }

  /** The oldest that was not used since it was last looked at. */
  private evictOne(): void {
    for (let slot = this.oldest; slot !== null; slot = this.oldest) {
      this.oldest = slot.younger;
      if (this.oldest === null) this.newest = null;
      if (slot.used) {
        slot.used = false;
        this.append(slot);
        continue;
      }
      slot.map.delete(slot.key);
      this.bytes -= slot.bytes;
      this.entries -= 1;
      this.evictions += 1;
      return;
    }
  }
}

/** Whether nothing in the analysis is a literal, or an offset into its own text. */
function dependsOnShapeOnly(analyzed: AnalyzedText): boolean {
  return (
    analyzed.uncertain === null &&
    analyzed.executableParts.length === 0 &&
    analyzed.statements.every(isShaped)
  );
}

function isShaped(one: StatementSummary): boolean {
  return (
    shapedKinds.has(one.kind) &&
    one.identityTokens.length === 0 &&
    one.unnamedItems.length === 0 &&
    one.assigns.length === 0 &&
    one.innerKinds.length === 0 &&
    one.kill === null &&
    !one.serverFiles
  );
}

function namesIn(analyzed: AnalyzedText): number {
  let names = 0;
  for (const one of analyzed.statements) {
    names += 4 + one.reads.length + one.writes.length + one.changes.length + one.routines.length;
    names += one.assigns.length + one.identityTokens.length + one.unnamedItems.length + one.schemas.length;
  }
  return names;
}

function modeBits(modes: ReadingModes): number {
  return (
    (modes.ansiQuotes ? 1 : 0) |
    (modes.noBackslashEscapes ? 2 : 0) |
    (modes.ignoreSpace ? 4 : 0) |
    (modes.oracle ? 8 : 0)
  );
}

const contexts = new BoundedCache<string, AnalysisContext>({ entriesMax: contextsMax });

/** The one object that stands for all contexts with these values: caches compare contexts by identity. */
export function internContext(context: AnalysisContext): AnalysisContext {
  const { modes, flavour, version, characterSet, defaultSchema, lowerCaseTableNames } = context;
  const bits = modes === null ? 16 : modeBits(modes);
  // The schema stands last: whatever characters it has, no two contexts look alike.
  const schema = defaultSchema === null ? "" : `.${defaultSchema}`;
  const key = `${bits} ${flavour} ${version} ${characterSet} ${lowerCaseTableNames}${schema}`;
  const known = contexts.get(key);
  if (known !== undefined) return known;
  const made: AnalysisContext = Object.freeze({
    modes: modes && Object.freeze({ ...modes }),
    flavour,
    version,
    characterSet,
    defaultSchema,
    lowerCaseTableNames,
  });
  contexts.set(key, made);
  return made;
}
