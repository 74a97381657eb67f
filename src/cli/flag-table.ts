// What a table of flags is made of. Knows no flag.

/** What a flag's value is. Durations are milliseconds, sizes bytes, once parsed. */
export type FlagType =
  | "text"
  | "path"
  | "list"
  | "boolean"
  | "integer"
  | "fraction"
  | "duration"
  | "size"
  | "choice";

/** One flag. */
export interface FlagDefinition {
  readonly type: FlagType;
  /** As one would write it; null: none. */
  readonly default: string | null;
  readonly group: string;
  /** One sentence, capital first, no full stop. */
  readonly help: string;
  /** The values of a `choice`. */
  readonly choices?: readonly string[];
  /** Bounds of integers and fractions (as is), durations (milliseconds) and sizes (bytes), both included. */
  readonly min?: number;
  readonly max?: number;
  /** Whether the content of the file that it names is loaded again when it changes. Everything else needs a restart. */
  readonly reloadable?: true;
}

/** A table of flags, by name. */
export type FlagTable = Readonly<Record<string, FlagDefinition>>;

const dayMs = 24 * 3_600_000;

/** What flags of durations have in common: up to a leap year, zero allowed. */
export const durationFlag = { type: "duration", min: 0, max: 366 * dayMs } as const;
