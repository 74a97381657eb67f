// Takes a command's text apart as far as a gateway without a table ACL needs it: KILL, which it answers itself, and the
// file of LOAD DATA LOCAL, which alone the backend may ask for. All else is relayed as not understood.

import { defaultReadingModes, type LexOptions, parseServerVersion } from "../sql/dialect.ts";
import { findKill, mayContainKill } from "../sql/kill.ts";
import { lex } from "../sql/lexer.ts";
import { bareStatement, type StatementSummary } from "../sql/statement-summary.ts";
import { decodeString } from "../sql/string-literal.ts";
import type { AnalyzedCommand } from "./statement-decider.ts";

/** Makes the analysis for servers of this version; it is asked anew for every text. */
export function createCommandAnalyzer(versionText: () => string): (text: Uint8Array) => AnalyzedCommand {
  return (text) => {
    const options = lexOptionsOf(versionText());
    const written = Buffer.from(text.buffer, text.byteOffset, text.length).toString("latin1");
    const kill = mayContainKill(text) ? findKill(written, options) : null;
    if (kill !== null) {
      const parameterCount = kill.id === null && /\?\s*;?\s*$/.test(written.slice(-16)) ? 1 : 0;
      return { statements: [{ ...bareStatement("KILL"), kill }], parameterCount };
    }
    const statement: StatementSummary = {
      ...bareStatement("UNKNOWN"),
      loadLocalFile: /^\s*load/i.test(written.slice(0, 64)) ? localFileOf(written, options) : null,
      uncertain: { symbol: "ER_PARSE_ERROR", reason: "it was not analysed" },
    };
    return { statements: [statement], parameterCount: 0 };
  };
}

/** How texts for servers of this version are read, with their default sql_mode. */
export function lexOptionsOf(versionText: string): LexOptions {
  const server = parseServerVersion(versionText) ?? { flavour: "mysql" as const, version: 80_040 };
  const { ansiQuotes, noBackslashEscapes } = defaultReadingModes;
  return { ...server, ansiQuotes, noBackslashEscapes, characterSet: "utf8" };
}

/** LOAD DATA | XML [LOW_PRIORITY | CONCURRENT] LOCAL INFILE 'name' ...: the name; null where there is none. */
function localFileOf(written: string, options: LexOptions): string | null {
  const tokens = lex(written, options);
  const word = (index: number): string => tokens.slice(index).toUpperCase();
  if (tokens.refusal !== null || word(0) !== "LOAD") return null;
  const local = ["LOW_PRIORITY", "CONCURRENT"].includes(word(2)) ? 3 : 2;
  if (word(local) !== "LOCAL" || word(local + 1) !== "INFILE") return null;
  const name = decodeString(tokens.slice(local + 2), options.noBackslashEscapes);
  return name === null ? null : Buffer.from(name, "latin1").toString("utf8");
}
