// Statements with what is expected of them, as a table in test/fixtures/sql/statements.json: names of tables were verified
// with live servers where servers open them at PREPARE (test/e2e/sql-oracle.test.ts), the rest is by the manuals.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { knownShowSubjects } from "../../../src/acl/show-rights.ts";
import { knownStatementKinds } from "../../../src/acl/statement-rights.ts";
import { analyzeText } from "../../../src/sql/analyze.ts";
import type { StatementSummary } from "../../../src/sql/statement-summary.ts";
import { contextOf, shownNames } from "./support.ts";

interface Entry {
  readonly sql: string;
  readonly on: "both" | "mysql" | "mariadb";
  readonly mode?: string;
  readonly is: readonly Readonly<Record<string, string | boolean | null>>[];
}

const path = new URL("../../fixtures/sql/statements.json", import.meta.url);
const entries: readonly Entry[] = JSON.parse(readFileSync(path, "utf8"));

/** A summary as the table shows it: what is empty, false or null is left out. */
function shown(summary: StatementSummary): Record<string, unknown> {
  const { effects } = summary;
  const all: Record<string, unknown> = {
    kind: summary.kind,
    subject: summary.subject,
    inner: summary.innerKinds.join(" "),
    reads: shownNames(summary.reads),
    writes: shownNames(summary.writes),
    changes: shownNames(summary.changes),
    routines: shownNames(summary.routines),
    routineChanges: shownNames(summary.routineChanges),
    schemas: summary.schemas.map(({ access, name }) => `${access} ${name}`).join(" "),
    assigns: summary.assigns
      .map(({ scope, name, value }) => `${scope} ${name}${value === undefined ? "" : `=${value}`}`)
      .join(", "),
    readOnly: summary.readOnly,
    serverFiles: summary.serverFiles,
    updatableView: summary.updatableView,
    localFile: summary.loadLocalFile,
    pins: effects.pins,
    nextTransaction: effects.nextTransaction,
    setsInsertId: effects.setsInsertId,
    countsFoundRows: effects.countsFoundRows,
    names:
      effects.names === null ? null : `${effects.names.characterSet} ${effects.names.collation ?? ""}`.trim(),
    use: effects.use,
    transaction: effects.transaction,
    asksFor: summary.asksFor.join(", "),
    kill: summary.kill === null ? null : `${summary.kill.scope} ${summary.kill.id}`,
    prepared: summary.preparedName,
    identity: summary.identityTokens
      .map(
        (token) =>
          `${token.name} ${token.start}-${token.end}${token.place === "text" ? "" : ` ${token.place}`}${token.global ? " global" : ""}`,
      )
      .join(", "),
    unnamed: summary.unnamedItems.map(({ start, end }) => `${start}-${end}`).join(", "),
    uncertain:
      summary.uncertain === null
        ? null
        : `${summary.uncertain.symbol === "ER_PARSE_ERROR" ? 1064 : 1235} ${summary.uncertain.reason}`,
  };
  const kept = Object.entries(all).filter(([, value]) => value !== null && value !== "" && value !== false);
  if (effects.autocommit !== null) kept.push(["autocommit", effects.autocommit]);
  if (effects.sqlMode !== null) kept.push(["sqlMode", effects.sqlMode.value]);
  if (effects.characterSet !== null) kept.push(["characterSet", effects.characterSet.value]);
  return Object.fromEntries(kept);
}

describe("analyzeText()", () => {
  it("has a table to look at", () => {
    expect(entries.length).toBeGreaterThan(350);
  });

  for (const flavour of ["mysql", "mariadb"] as const) {
    const own = entries.filter((entry) => entry.on === "both" || entry.on === flavour);
    it.each(own.map((entry) => [entry.sql, entry] as const))(`${flavour}: %s`, (sql, entry) => {
      const analyzed = analyzeText(Buffer.from(sql), contextOf(flavour, { mode: entry.mode ?? "" }));
      expect(analyzed.statements.map(shown)).toEqual(entry.is);
      const uncertain = analyzed.statements.find((one) => one.uncertain !== null)?.uncertain ?? null;
      expect(analyzed.uncertain).toEqual(uncertain);
    });
  }

  it("makes only kinds and forms of SHOW that the ACL knows", () => {
    const kinds = new Set(knownStatementKinds);
    const subjects = new Set(knownShowSubjects);
    for (const entry of entries) {
      for (const flavour of ["mysql", "mariadb"] as const) {
        for (const one of analyzeText(Buffer.from(entry.sql), contextOf(flavour)).statements) {
          if (one.uncertain !== null) continue;
          for (const kind of [one.kind, ...one.innerKinds]) expect(kinds, kind).toContain(kind);
          if (one.kind === "SHOW") expect(subjects).toContain(one.subject);
        }
      }
    }
  });
});
