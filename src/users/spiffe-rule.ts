// Attributes.spiffe_id of an entry: one exact SPIFFE id, or `!` and a regular expression. The only file that imports
// re2js: its matching time is linear in the length of the id, whatever the expression.

import { RE2JS } from "re2js";
import { spiffeIdFault } from "../identity/spiffe-id.ts";
import type { Decoded } from "./credential.ts";

/** Which SPIFFE ids an entry demands. */
export interface SpiffeRule {
  /** As written. */
  readonly text: string;
  /** Whether a verified id is meant; the whole id must match, in its case. */
  matches(spiffeId: string): boolean;
}

/** Compiles the value of `spiffe_id`. */
export function parseSpiffeRule(text: string): Decoded<SpiffeRule> {
  if (!text.startsWith("!")) {
    const fault = spiffeIdFault(text);
    if (fault !== null) return { ok: false, must: fault };
    return { ok: true, value: { text, matches: (spiffeId) => spiffeId === text } };
  }
  if (text === "!") return { ok: false, must: "must have a regular expression after '!'" };
  try {
    const pattern = RE2JS.compile(text.slice(1));
    return { ok: true, value: { text, matches: (spiffeId) => pattern.matches(spiffeId) } };
  } catch (error) {
    const why = error instanceof Error ? error.message : "it cannot be compiled";
    return { ok: false, must: `must be a regular expression of RE2 after '!': ${why}` };
  }
}
