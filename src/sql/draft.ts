// What is known of a statement while it is analysed. Becomes a StatementSummary at the end.

import type { ReadingTraits } from "./reading-traits.ts";
import type {
  IdentityToken,
  KillRequest,
  Leftover,
  OwnShow,
  RoutineReference,
  SchemaReference,
  SessionEffects,
  StatementSummary,
  TableReference,
  Uncertainty,
  UnnamedItem,
  VariableAssignment,
} from "./statement-summary.ts";

/** Things with a name, each once, in the order in which they were met. */
class NamedList<T extends { readonly schema: string | null; readonly name: string }> {
  readonly items: T[] = [];
  private readonly seen = new Set<string>();

  add(item: T): void {
    const key = `${item.schema ?? ""}\0${item.name}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.items.push(item);
  }
}

type MutableEffects = { -readonly [K in keyof SessionEffects]: SessionEffects[K] };

/** Kinds that can be read-only at all. */
const readingKinds: ReadonlySet<string> = new Set([
  "SELECT",
  "TABLE",
  "VALUES",
  "SHOW",
  "DESCRIBE",
  "EXPLAIN",
  "ANALYZE",
]);

/** Grows while a statement is read. */
export class Draft {
  subject: string | null = null;
  readonly innerKinds: string[] = [];
  readonly reads: NamedList<TableReference> = new NamedList();
  readonly writes: NamedList<TableReference> = new NamedList();
  readonly changes: NamedList<TableReference> = new NamedList();
  readonly routines: NamedList<RoutineReference> = new NamedList();
  readonly routineChanges: NamedList<RoutineReference> = new NamedList();
  readonly schemas: SchemaReference[] = [];
  readonly assigns: VariableAssignment[] = [];
  updatableView = false;
  serverFiles = false;
  readonly effects: MutableEffects = {
    any: false,
    use: null,
    sqlMode: null,
    characterSet: null,
    pins: null,
    names: null,
    transaction: null,
    autocommit: null,
    nextTransaction: false,
    setsInsertId: false,
    countsFoundRows: false,
  };
  kill: KillRequest | null = null;
  loadLocalFile: string | null = null;
  readonly asksFor = new Set<Leftover>();
  readonly identityTokens: IdentityToken[] = [];
  readonly unnamedItems: UnnamedItem[] = [];
  ownShow: OwnShow | null = null;
  ownAccount = false;
  preparedName: string | null = null;
  preparedTraits: ReadingTraits = 0;
  private writesBecause: string | null = null;

  /** Notes a kind that this statement carries; each stands once. */
  carry(kind: string): void {
    if (!this.innerKinds.includes(kind)) this.innerKinds.push(kind);
  }

  /** The statement is not read-only; the first reason stays. */
  notReadOnly(reason: string): void {
    this.writesBecause ??= reason;
  }

  /** The session is changed in a way that another connection could not be brought to; the first reason stays. */
  pin(reason: string): void {
    this.effects.any = true;
    this.effects.pins ??= reason;
  }

  /** The summary of what was read so far. */
  finish(kind: string, uncertain: Uncertainty | null): StatementSummary {
    const reads = readingKinds.has(kind);
    if (!reads) this.notReadOnly(`${kind} is no reading statement`);
    if (uncertain !== null) this.notReadOnly("it is not understood");
    return {
      kind,
      subject: this.subject,
      innerKinds: this.innerKinds,
      reads: this.reads.items,
      writes: this.writes.items,
      changes: this.changes.items,
      routines: this.routines.items,
      routineChanges: this.routineChanges.items,
      schemas: this.schemas,
      assigns: this.assigns,
      updatableView: this.updatableView,
      serverFiles: this.serverFiles,
      readOnly: this.writesBecause === null,
      effects: { ...this.effects },
      kill: this.kill,
      loadLocalFile: this.loadLocalFile,
      asksFor: [...this.asksFor],
      identityTokens: this.identityTokens,
      unnamedItems: this.unnamedItems,
      ownShow: this.ownShow,
      ownAccount: this.ownAccount,
      preparedName: this.preparedName,
      preparedTraits: this.preparedTraits,
      writesBecause: this.writesBecause,
      uncertain,
    };
  }
}
