// Optimizer hints are comments, except that SET_VAR sets variables for its statement
// (https://dev.mysql.com/doc/refman/8.4/en/optimizer-hints.html).

import type { Analysis } from "./analysis.ts";
import { isReadingVariable } from "./set.ts";
import { notSupported } from "./uncertain.ts";

const setVariable = /set_var\s*\(\s*([\w$]+|`[^`]*`)/gi;

/** Notes what the hints between two tokens set. */
export function noteHints(a: Analysis, start: number, end: number): void {
  const { hints, text } = a.tokens;
  const first = a.tokens.start(start);
  const last = end < a.tokens.count ? a.tokens.start(end) : text.length;
  for (let index = firstFrom(hints, first); index < hints.length; index += 2) {
    const hintStart = hints[index] ?? 0;
    if (hintStart >= last) return;
    const hint = text.slice(hintStart, hints[index + 1]);
    for (const match of hint.matchAll(setVariable)) {
      const name = (match[1] ?? "").replaceAll("`", "").toLowerCase();
      if (isReadingVariable(name)) notSupported("a SET_VAR hint about how text is read");
      a.draft.assigns.push({ scope: "session", name });
    }
  }
}

/** The place in the list of the first hint from `offset` on: a text may have as many hints as statements. */
function firstFrom(hints: readonly number[], offset: number): number {
  let low = 0;
  let high = hints.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((hints[middle * 2] ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}
