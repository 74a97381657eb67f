// SHOW DATABASES where the gateway has keyspaces: no server knows all of them, so a SELECT with their names is sent in
// its place, behind which the client's own condition stands.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import { listingCondition } from "../sql/listing-condition.ts";
import { stringLiteral } from "../sql/literals.ts";
import { applyEdits, type TextEdit } from "../sql/text-edits.ts";
import type { CommandLoop } from "./command-loop.ts";
import { lexOptionsOf } from "./reading.ts";
import type { StatementText } from "./statement-text.ts";
import { type Truth, truthEdits } from "./truth.ts";

/** Longest name of a schema, in characters. */
const nameCharactersMax = 64;

/** The edits that replace it in `sql`, with what `truth` wants in its condition; none where the text is another one. */
export function databaseListEdits(
  loop: CommandLoop,
  { statements }: StatementText,
  sql: Uint8Array,
  truth: Truth | null,
): readonly TextEdit[] | SqlError {
  const { state, services } = loop;
  const { schemas } = services.router();
  if (schemas === null || !statements.some(({ kind, subject }) => kind === "SHOW" && isList(subject)))
    return [];
  const text = Buffer.from(sql.buffer, sql.byteOffset, sql.length).toString("latin1");
  const condition =
    statements.length === 1 ? listingCondition(text, lexOptionsOf(state, services.readingServer())) : null;
  if (condition === null)
    return sqlError("ER_NOT_SUPPORTED_YET", {
      feature: "this form of SHOW DATABASES where there are keyspaces",
    });
  const rows = schemas
    .list()
    .map((name) => `SELECT ${stringLiteral(name, nameCharactersMax)} AS \`Database\``);
  const heading = condition.pattern === null ? "" : ` AS \`Database (${condition.pattern})\``;
  const edits = truthEdits(loop, sql, truth).map((edit) => ({
    ...edit,
    start: edit.start - condition.start,
    end: edit.end - condition.start,
  }));
  const told = applyEdits(Buffer.from(condition.text, "latin1"), edits) ?? Buffer.alloc(0);
  const written = Buffer.from(told).toString("latin1");
  const where = condition.isLike ? ` WHERE \`Database\` ${written}` : ` ${written}`;
  const query = `SELECT \`Database\`${heading} FROM (${rows.join(" UNION ALL ")}) AS \`d\`${where}`;
  return [{ start: 0, end: sql.length, text: Buffer.from(query.trimEnd(), "latin1") }];
}

function isList(subject: string | null): boolean {
  return subject === "DATABASES" || subject === "SCHEMAS";
}
