// What goes into the analysis of a text and what comes out of it, besides the text itself.

import type { CharacterSetClass, Flavour, ReadingModes } from "./dialect.ts";
import type { LowerCaseTableNames } from "./object-name.ts";
import type { StatementSummary, Uncertainty } from "./statement-summary.ts";

/**
 * Everything beside the text that decides what it means. Sessions with the same values share one object (see
 * `internContext`): the statement cache tells contexts apart by identity.
 */
export interface AnalysisContext {
  /** Null: not known; then all readings must agree. */
  readonly modes: ReadingModes | null;
  readonly flavour: Flavour;
  /** As executable comments write it: 80044 is 8.0.44. */
  readonly version: number;
  readonly characterSet: CharacterSetClass;
  readonly defaultSchema: string | null;
  readonly lowerCaseTableNames: LowerCaseTableNames;
}

/** The statements of one COM_QUERY or COM_STMT_PREPARE. */
export interface AnalyzedText {
  /** At least one; a text without any is one of kind `EMPTY`. */
  readonly statements: readonly StatementSummary[];
  /** Placeholders `?`. */
  readonly parameterCount: number;
  /** The first uncertainty of any statement, or of the text as a whole; null: all is understood. */
  readonly uncertain: Uncertainty | null;
  /** Whether it is uncertain for want of the modes alone. @default it is not */
  readonly wantsModes?: boolean;
  /** Marks of executable comments: start and end of each in turn, for `resolveExecutableComments`. */
  readonly executableParts: readonly number[];
}
