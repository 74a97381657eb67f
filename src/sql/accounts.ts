// Statements about accounts, and whether they are about the account that is logged in: on a backend that is the service
// account (https://dev.mysql.com/doc/refman/8.4/en/account-management-statements.html).

import type { Analysis } from "./analysis.ts";
import type { StatementSummary } from "./statement-summary.ts";

const kinds: ReadonlySet<string> = new Set([
  "GRANT",
  "REVOKE",
  "CREATE USER",
  "ALTER USER",
  "DROP USER",
  "RENAME USER",
  "CREATE ROLE",
  "DROP ROLE",
  "SET PASSWORD",
  "SET DEFAULT ROLE",
]);

/** Kinds that mean the account that is logged in where they name none. */
const ownByDefault: ReadonlySet<string> = new Set(["SET PASSWORD", "SET DEFAULT ROLE"]);

/** Notes whether the statement [start, end) of this kind is about the account that is logged in. */
export function noteAccounts(a: Analysis, kind: string, start: number, end: number): void {
  if (!kinds.has(kind)) return;
  let isNamed = !ownByDefault.has(kind);
  for (let at = start; at < end; at += 1) {
    const word = a.word(at);
    if (word === "CURRENT_USER" || (word === "USER" && a.isPhrase(at + 1, "(", ")")))
      a.draft.ownAccount = true;
    // SET PASSWORD TO RANDOM names nobody.
    isNamed ||= word === "FOR" || (word === "TO" && kind !== "SET PASSWORD");
  }
  if (!isNamed) a.draft.ownAccount = true;
}

/** The kind of the statement about accounts that this one is or carries; null: none. */
export function accountKindOf({ kind, innerKinds }: StatementSummary): string | null {
  return [kind, ...innerKinds].find((one) => kinds.has(one)) ?? null;
}
