// Takes a command's text apart. Interim: until src/sql has its analyser, it knows KILL alone.

import { bareStatement } from "../sql/statement-summary.ts";
import type { AnalyzedCommand } from "./statement-decider.ts";

const kill = /^\s*kill\s+(?:(query|connection)\s+)?(\d+)\s*;?\s*$/i;

/** Tells KILL from the rest. */
export function analyzeCommand(text: Uint8Array): AnalyzedCommand {
  const bytes = Buffer.from(text.buffer, text.byteOffset, Math.min(text.length, 200));
  const match = kill.exec(bytes.toString("latin1"));
  if (match !== null) {
    const scope = match[1]?.toLowerCase() === "query" ? "query" : "connection";
    return {
      statements: [{ ...bareStatement("KILL"), kill: { scope, id: Number(match[2]) } }],
      parameterCount: 0,
    };
  }
  const uncertain = { symbol: "ER_PARSE_ERROR", reason: "not analysed" } as const;
  return { statements: [{ ...bareStatement("UNKNOWN"), uncertain }], parameterCount: 0 };
}
