// Takes a command's text apart, as the server behind the session reads it; where there are servers of several versions, as
// the oldest and the newest of them do.

import { agreeingAnalysis } from "../sql/analyze.ts";
import type { AnalysisContext, AnalyzedText } from "../sql/analyzed-text.ts";
import { isPlainListing } from "../sql/plain-listing.ts";
import { internContext, StatementCache } from "../sql/statement-cache.ts";
import { contextOf, lexOptionsOf, type ReadingServer } from "./reading.ts";
import type { SessionState } from "./session.ts";
import type { AnalyzedCommand } from "./statement-decider.ts";

/** Makes the analysis; `server` null: none was seen yet. */
export function createCommandAnalyzer(
  server: () => ReadingServer | null,
): (text: Uint8Array, state: SessionState) => AnalyzedCommand {
  const cache = new StatementCache();
  const agreed = new WeakMap<AnalyzedText, WeakMap<AnalyzedText, AnalyzedText>>();
  const analyzeForAll = (text: Uint8Array, context: AnalysisContext): AnalyzedText => {
    const first = cache.analyze(text, context);
    const newest = server()?.newestVersionNumber ?? context.version;
    if (newest === context.version) return first;
    const second = cache.analyze(text, internContext({ ...context, version: newest }));
    const known = agreed.get(first)?.get(second);
    if (known !== undefined) return known;
    const made = agreeingAnalysis(first, second);
    const bySecond = agreed.get(first) ?? new WeakMap<AnalyzedText, AnalyzedText>();
    agreed.set(first, bySecond.set(second, made));
    return made;
  };
  return (text, state) => {
    const context = contextOf(state, server());
    const analyzed = analyzeForAll(text, context);
    const isPlain = () => {
      const written = Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1");
      return isPlainListing(written, lexOptionsOf(state, server()));
    };
    return { analyzed, context, isPlainListing: isPlain };
  };
}
