// Takes a command's text apart, as the server behind the session reads it.

import { isPlainListing } from "../sql/plain-listing.ts";
import { StatementCache } from "../sql/statement-cache.ts";
import { contextOf, lexOptionsOf, type ReadingServer } from "./reading.ts";
import type { SessionState } from "./session.ts";
import type { AnalyzedCommand } from "./statement-decider.ts";

/** Makes the analysis; `server` null: none was seen yet. */
export function createCommandAnalyzer(
  server: () => ReadingServer | null,
): (text: Uint8Array, state: SessionState) => AnalyzedCommand {
  const cache = new StatementCache();
  return (text, state) => {
    const context = contextOf(state, server());
    const analyzed = cache.analyze(text, context);
    const isPlain = () => {
      const written = Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1");
      return isPlainListing(written, lexOptionsOf(state, server()));
    };
    return { analyzed, context, isPlainListing: isPlain };
  };
}
