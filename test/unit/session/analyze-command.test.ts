import { describe, expect, it } from "vitest";
import { createCommandAnalyzer } from "../../../src/session/analyze-command.ts";
import type { ReadingServer } from "../../../src/session/reading.ts";
import type { SessionState } from "../../../src/session/session.ts";
import { defaultReadingModes } from "../../../src/sql/dialect.ts";

const state = {
  reading: { modes: defaultReadingModes, characterSet: "utf8" },
  database: "shop",
} as unknown as SessionState;

function uncertain(text: string, server: ReadingServer): string | null {
  const analyze = createCommandAnalyzer(() => server);
  const { analyzed } = analyze(Buffer.from(text), state);
  // The same object for the same text: decisions are kept by it.
  expect(analyze(Buffer.from(text), state).analyzed).toBe(analyzed);
  return analyzed.uncertain?.reason ?? null;
}

describe("createCommandAnalyzer()", () => {
  const old: ReadingServer = { flavour: "mariadb", versionNumber: 100600, lowerCaseTableNames: 0 };
  const mixed: ReadingServer = { ...old, newestVersionNumber: 101100 };

  it("is uncertain of what servers of several versions read differently", () => {
    const between = "select 1 from t /*!100700 , hidden.secrets */";
    expect(uncertain(between, old)).toBe(null);
    expect(uncertain(between, { ...old, versionNumber: 101100 })).toBe(null);
    expect(uncertain(between, mixed)).toContain("versions that read it differently");
  });

  it("is certain of what all of them read alike", () => {
    expect(uncertain("select a from shop.t where b = 1", mixed)).toBe(null);
    expect(uncertain("select 1 from t /*!50000 , u */", mixed)).toBe(null);
    expect(uncertain("select 1 from t /*!110000 , u */", mixed)).toBe(null);
  });

  it("does not lose a KILL that one of them sees", () => {
    const { analyzed } = createCommandAnalyzer(() => mixed)(Buffer.from("/*!100700 KILL 5 */"), state);
    expect(analyzed.statements[0]?.kill).not.toBe(null);
  });
});
