// How the analyser gives up: what cannot be proven is refused, with the number that the client would see and a sentence
// that helps. Thrown inside the analyser only; analyzeText catches it.

import type { Uncertainty } from "./statement-summary.ts";

/** Carries an uncertainty up to where the statement is concluded. */
export class Refused extends Error {
  readonly uncertainty: Uncertainty;

  constructor(symbol: Uncertainty["symbol"], reason: string) {
    super(reason);
    this.uncertainty = { symbol, reason };
  }
}

/** 1064: the text is not what any server takes, or not understood here. */
export function notUnderstood(reason: string): never {
  throw new Refused("ER_PARSE_ERROR", reason);
}

/** 1235: valid, but deliberately not supported where a statement must be understood. */
export function notSupported(reason: string): never {
  throw new Refused("ER_NOT_SUPPORTED_YET", reason);
}
