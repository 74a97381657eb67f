// Finds the entries that match a name best: the longest, and at equal length of the name the one that is qualified with
// its schema. A look-up costs one map access per distinct prefix length, whatever the number of entries.

import { foldObjectName, isSystemSchema } from "../sql/object-name.ts";

/** What an index holds: a parsed entry. */
export interface IndexedPattern {
  readonly schema: string | null;
  readonly name: string;
  readonly isPrefix: boolean;
}

/** How names are compared. */
export interface NameComparison {
  readonly foldSchemas: boolean;
  readonly foldNames: boolean;
}

const nothing: readonly never[] = [];

/** The entries of one schema, or the unqualified ones. */
class Scope<T extends IndexedPattern> {
  readonly #exact = new Map<string, T[]>();
  readonly #prefixes = new Map<string, T[]>();
  /** Distinct lengths of prefixes, longest first. */
  #lengths: number[] = [];
  readonly all: T[] = [];

  add(name: string, item: T): void {
    this.all.push(item);
    const map = item.isPrefix ? this.#prefixes : this.#exact;
    const known = map.get(name);
    if (known !== undefined) known.push(item);
    else map.set(name, [item]);
    if (item.isPrefix && !this.#lengths.includes(name.length)) {
      this.#lengths = [...this.#lengths, name.length].sort((a, b) => b - a);
    }
  }

  exact(name: string): readonly T[] | undefined {
    return this.#exact.get(name);
  }

  longestPrefix(name: string): readonly T[] | undefined {
    for (const length of this.#lengths) {
      if (length > name.length) continue;
      const found = this.#prefixes.get(name.slice(0, length));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Entries that match the very same names as `item` (whose folded name is `name`). */
  twins(name: string, isPrefix: boolean): readonly T[] {
    return (isPrefix ? this.#prefixes : this.#exact).get(name) ?? nothing;
  }
}

/** An index over entries. Immutable once built. */
export class NameIndex<T extends IndexedPattern> {
  readonly #comparison: NameComparison;
  readonly #unqualified = new Scope<T>();
  readonly #bySchema = new Map<string, Scope<T>>();

  constructor(items: Iterable<T>, comparison: NameComparison) {
    this.#comparison = comparison;
    for (const item of items) {
      const scope = item.schema === null ? this.#unqualified : this.#scopeFor(item.schema);
      scope.add(this.#name(item.schema, item.name), item);
    }
  }

  /**
   * The best matches: none, one, or several that differ in case only and cannot be told apart under this comparison.
   * `schema` null (no default schema) reaches unqualified entries only.
   */
  find(schema: string | null, name: string): readonly T[] {
    const key = this.#name(schema, name);
    const own = schema === null ? undefined : this.#bySchema.get(this.#schema(schema));
    const shared = schema !== null && isSystemSchema(schema) ? undefined : this.#unqualified;
    const exact = own?.exact(key) ?? shared?.exact(key);
    if (exact !== undefined) return exact;
    const ownPrefix = own?.longestPrefix(key);
    const sharedPrefix = shared?.longestPrefix(key);
    if (ownPrefix === undefined) return sharedPrefix ?? nothing;
    if (sharedPrefix === undefined) return ownPrefix;
    return lengthOf(sharedPrefix) > lengthOf(ownPrefix) ? sharedPrefix : ownPrefix;
  }

  /** Every entry that decides for some name of `schema`: its own, and the unqualified ones that it has no twin of. */
  reaching(schema: string): readonly T[] {
    const own = this.#bySchema.get(this.#schema(schema));
    if (isSystemSchema(schema)) return own?.all ?? nothing;
    if (own === undefined) return this.#unqualified.all;
    const shared = this.#unqualified.all.filter(
      (item) => own.twins(this.#name(null, item.name), item.isPrefix).length === 0,
    );
    return [...own.all, ...shared];
  }

  #scopeFor(schema: string): Scope<T> {
    const key = this.#schema(schema);
    const known = this.#bySchema.get(key);
    if (known !== undefined) return known;
    const made = new Scope<T>();
    this.#bySchema.set(key, made);
    return made;
  }

  #schema(schema: string): string {
    return this.#comparison.foldSchemas || isSystemSchema(schema) ? foldObjectName(schema) : schema;
  }

  #name(schema: string | null, name: string): string {
    return this.#comparison.foldNames || (schema !== null && isSystemSchema(schema))
      ? foldObjectName(name)
      : name;
  }
}

function lengthOf<T extends IndexedPattern>(items: readonly T[]): number {
  return items[0]?.name.length ?? -1;
}
