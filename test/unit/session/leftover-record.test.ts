// What a session's connection knows of its last statements, and what has to be put into the text that asks.
import { describe, expect, it } from "vitest";
import { LeftoverRecord } from "../../../src/session/leftover-record.ts";
import { type StatementText, statementText } from "../../../src/session/statement-text.ts";
import { bareStatement, type StatementSummary } from "../../../src/sql/statement-summary.ts";
import { COM_PING } from "../../../src/wire/commands.ts";
import { newReplySummary, type ReplySummary } from "../../../src/wire/reply-summary.ts";

const table = { schema: null, name: "t", qualified: false };
const text = (kind: string, parts: Partial<StatementSummary> = {}): StatementText =>
  statementText([{ ...bareStatement(kind), ...parts }]);
const select = text("SELECT", { reads: [table] });
const insert = text("INSERT", { writes: [table] });
const update = text("UPDATE", { writes: [table] });
const set = text("SET");
const asksForRows = text("SELECT", { asksFor: ["found rows"] });
const asksForAll = text("SELECT", { asksFor: ["row count", "found rows"] });
const asksForWarnings = text("SHOW", { subject: "WARNINGS", asksFor: ["warnings"] });

const rows = (rowCount: number): ReplySummary => ({ ...newReplySummary(), resultSetCount: 1, rowCount });
const ok = (affectedRows: number): ReplySummary => ({ ...newReplySummary(), affectedRows });
const failed: ReplySummary = { ...newReplySummary(), errorCode: 1062 };
const warned: ReplySummary = { ...ok(1), warnings: 1, hadWarnings: true };

function recordOf(...replies: readonly (readonly [StatementText, ReplySummary] | "left")[]): LeftoverRecord {
  const record = new LeftoverRecord();
  for (const reply of replies) {
    if (reply === "left") record.leave();
    else record.noteReply(reply[1], reply[0], "mariadb");
  }
  return record;
}

describe("a text that asks", () => {
  it("is sent as it is to the connection that knows all", () => {
    const record = recordOf([select, rows(5)], [insert, ok(2)]);
    expect(record.leftoversFor(asksForAll, false)).toBeNull();
    expect(record.lostFor(asksForAll)).toBeNull();
  });

  it("is told the rows of a SELECT that ran elsewhere, whatever ran here since without counting", () => {
    for (const since of [set, insert, text("DELETE"), text("CREATE TABLE")]) {
      const record = recordOf([select, rows(5)], "left", [since, ok(1)]);
      expect(record.leftoversFor(asksForAll, false), since.statements[0]?.kind).toEqual({
        rowCount: null,
        foundRows: 5,
      });
    }
  });

  it("is told the row count of a statement that ran elsewhere", () => {
    expect(recordOf([insert, ok(3)], "left").leftoversFor(asksForAll, false)?.rowCount).toBe(3);
    expect(recordOf([select, rows(3)], "left").leftoversFor(asksForAll, false)?.rowCount).toBe(-1);
    expect(recordOf([insert, failed], "left").leftoversFor(asksForAll, false)?.rowCount).toBe(-1);
  });

  it("is refused where the only connection that knew is lost", () => {
    const counted = text("SELECT", {
      effects: { ...bareStatement("SELECT").effects, countsFoundRows: true },
    });
    const record = recordOf([counted, rows(1)]);
    expect(record.onlyHereAreFoundRows).toBe(true);
    record.leave();
    expect(record.lostFor(asksForRows)).toBe("found rows");
    record.foundRows = 40;
    expect(record.lostFor(asksForRows)).toBeNull();
    expect(record.leftoversFor(asksForRows, false)?.foundRows).toBe(40);
  });

  it("gets what UPDATE has found from MySQL itself, and what was found before from MariaDB", () => {
    const record = new LeftoverRecord();
    record.noteReply(rows(5), select, "mysql");
    record.leave();
    record.noteReply(ok(1), update, "mysql");
    expect(record.leftoversFor(asksForRows, false)).toBeNull();
    expect(record.onlyHereAreFoundRows).toBe(true);
    expect(recordOf([select, rows(5)], "left", [update, ok(1)]).leftoversFor(asksForRows, false)).toEqual({
      rowCount: null,
      foundRows: 5,
    });
  });

  it("is told what an answer of the gateway's own leaves", () => {
    const record = recordOf([insert, ok(3)]);
    record.noteOwnAnswer(-1);
    expect(record.leftoversFor(asksForAll, false)?.rowCount).toBe(-1);
    record.noteCommand(COM_PING);
    expect(record.leftoversFor(asksForAll, false)?.rowCount).toBeNull();
  });
});

describe("warnings", () => {
  it("of MariaDB stay where a statement names no table, and go with one that does", () => {
    expect(recordOf([insert, warned], [set, ok(0)]).keepsDiagnostics).toBe(true);
    expect(recordOf([insert, warned], [select, rows(1)]).keepsDiagnostics).toBe(false);
  });

  it("of MySQL go with the next statement", () => {
    const record = new LeftoverRecord();
    record.noteReply(warned, insert, "mysql");
    expect(record.keepsDiagnostics).toBe(true);
    record.noteReply(ok(0), set, "mysql");
    expect(record.keepsDiagnostics).toBe(false);
  });

  it("that were left are lost until the next statement", () => {
    const record = recordOf([insert, warned], "left");
    expect(record.lostFor(asksForWarnings)).toBe("warnings");
    record.noteReply(ok(0), set, "mariadb");
    expect(record.lostFor(asksForWarnings)).toBeNull();
    expect(record.isToBeHiddenFor(asksForWarnings)).toBe(false);
  });

  it("that another session may have left are hidden before the first statement", () => {
    expect(new LeftoverRecord().isToBeHiddenFor(asksForWarnings)).toBe(true);
    expect(new LeftoverRecord().isToBeHiddenFor(asksForRows)).toBe(false);
  });
});
