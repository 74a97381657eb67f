// What follows from the statements of one text together.
import { describe, expect, it } from "vitest";
import { statementText } from "../../../src/session/statement-text.ts";
import { bareStatement, type StatementSummary } from "../../../src/sql/statement-summary.ts";

function statement(kind: string, effects: Partial<StatementSummary["effects"]> = {}): StatementSummary {
  const bare = bareStatement(kind);
  return { ...bare, effects: { ...bare.effects, ...effects } };
}

describe("statementText() says of a text whether it may have made changes final", () => {
  const uncertain = { symbol: "ER_PARSE_ERROR", reason: "not analysed" } as const;
  it.each<[string, readonly StatementSummary[], boolean]>([
    ["COMMIT", [statement("COMMIT", { transaction: "ends" })], true],
    ["BEGIN, which commits what is open", [statement("BEGIN", { transaction: "begins" })], true],
    ["DDL", [statement("CREATE TABLE", { transaction: "commits" })], true],
    ["XA", [statement("XA COMMIT", { transaction: "xa" })], true],
    ["SET autocommit = 1", [statement("SET", { autocommit: true })], true],
    ["SET autocommit = 0", [statement("SET", { autocommit: false })], false],
    ["SAVEPOINT", [statement("SAVEPOINT", { transaction: "savepoint" })], false],
    ["INSERT", [statement("INSERT")], false],
    ["what was not understood", [{ ...statement("UNKNOWN"), uncertain }], true],
    [
      "a batch with a COMMIT in it",
      [statement("SELECT"), statement("COMMIT", { transaction: "ends" })],
      true,
    ],
  ])("%s", (_, statements, expected) => {
    expect(statementText(statements).commits).toBe(expected);
  });
});
