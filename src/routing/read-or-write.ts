// What a text is to a server that takes no writes, and to one that serves reads only. Pure.

import { isSystemSchema } from "../sql/object-name.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";

const writingKinds: ReadonlySet<string> = new Set([
  "INSERT",
  "UPDATE",
  "DELETE",
  "REPLACE",
  "LOAD",
  "TRUNCATE",
]);

/** Whether a server that is read-only would refuse it, or might: what was not understood is not tried there. */
export function mayWrite(statement: StatementSummary): boolean {
  const { uncertain, writes, changes, routineChanges, schemas, kind, readOnly } = statement;
  if (readOnly) return false;
  if (uncertain !== null || writingKinds.has(kind)) return true;
  // What is only prepared is judged, too: nobody asks again when it is executed by name.
  if (writes.length + changes.length + routineChanges.length > 0) return true;
  return schemas.some(({ access }) => access === "change");
}

/** Only these are ever sent elsewhere than the rest of the session. */
const readingKinds: ReadonlySet<string> = new Set(["SELECT", "VALUES", "TABLE", "WITH"]);

/**
 * Whether a statement is proven to give the same answer on any server that has the same rows: it reads tables of
 * keyspaces, changes nothing, and asks neither for the server's own tables nor for what the statement before has left.
 */
export function isPortableRead(statement: StatementSummary): boolean {
  const { kind, readOnly, effects, asksFor, routines, reads, serverFiles } = statement;
  if (!readOnly || !readingKinds.has(kind) || effects.any || effects.transaction !== null) return false;
  if (effects.setsInsertId || effects.countsFoundRows) return false;
  if (asksFor.length > 0 || routines.length > 0 || serverFiles || reads.length === 0) return false;
  return reads.every(({ schema }) => schema === null || !isSystemSchema(schema));
}
