// Character sets of a fresh login, per server and collation id. What a login with an id gives is the server's business
// (skip_character_set_client_handshake, ids it does not know, init_connect), so it is read back once and remembered;
// resets and changes of hands restore exactly that.
// https://dev.mysql.com/doc/refman/8.4/en/charset-connection.html

import { BoundedCache } from "../base/bounded-cache.ts";
import type { ServerFacts, ServerFlavour, SessionNames } from "./backend-connection.ts";
import { type HousekeepingCommand, type HousekeepingReply, queryCommand } from "./housekeeping.ts";
import { BackendLoginError } from "./login-error.ts";

/** The names of a login, and how to come back to them. */
export interface RestorableNames extends SessionNames {
  /**
   * What `character_set_results` is assigned so that column definitions show the login's collation id again; null:
   * nothing short of a login does. MySQL takes the id itself. MariaDB takes names only, and a name means the character
   * set's default collation.
   */
  readonly resultsValue: string | null;
}

/** Reads what a login has given. */
export const namesQuery: HousekeepingCommand = queryCommand(
  "SELECT @@character_set_client, @@character_set_results, @@collation_connection, MAX(ID), MAX(IS_DEFAULT)" +
    " FROM information_schema.COLLATIONS WHERE COLLATION_NAME = @@collation_connection",
);

/** Names as they may stand in a statement without quotes. */
const namePattern = /^[A-Za-z0-9_]{1,64}$/;

/**
 * Reads the reply to {@link namesQuery}.
 * @throws BackendLoginError when it is none.
 */
export function namesOf(reply: HousekeepingReply, flavour: ServerFlavour): RestorableNames {
  const row = reply.kind === "rows" ? reply.rows[0] : undefined;
  const [client, results, collation, id, isDefault] = row ?? [];
  if (!isName(client) || !isName(collation) || !(results === null || isName(results))) {
    throw new BackendLoginError("protocol", "The server does not tell its character sets");
  }
  const names = { client, results, collation };
  // A login takes all three from one collation; where something else was at work, the id proves nothing.
  const isOne = results !== null && (collation === results || collation.startsWith(`${results}_`));
  if (!isOne) return { ...names, resultsValue: results ?? "NULL" };
  if (flavour === "mysql")
    return { ...names, resultsValue: /^\d{1,5}$/.test(id ?? "") ? (id ?? null) : null };
  return { ...names, resultsValue: isDefault === "Yes" ? results : null };
}

function isName(value: string | null | undefined): value is string {
  return typeof value === "string" && namePattern.test(value);
}

/** Assignments that make a connection's character sets these; for a SET statement. */
export function nameAssignments(names: RestorableNames): string {
  return [
    `character_set_client=${names.client}`,
    `character_set_results=${names.resultsValue ?? names.results ?? "NULL"}`,
    `collation_connection=${names.collation}`,
  ].join(", ");
}

/** Remembers names by server and collation id. */
export class SessionNamesCache {
  readonly #known = new BoundedCache<string, RestorableNames>({ entriesMax: 4096 });

  get(tablet: string, server: ServerFacts, collation: number): RestorableNames | null {
    return this.#known.get(keyOf(tablet, server, collation)) ?? null;
  }

  set(tablet: string, server: ServerFacts, collation: number, names: RestorableNames): void {
    this.#known.set(keyOf(tablet, server, collation), names);
  }
}

function keyOf(tablet: string, server: ServerFacts, collation: number): string {
  return `${collation} ${server.versionText} ${tablet}`;
}
