// Character sets of a fresh login, per server and collation id. What a login with an id gives is the server's business
// (skip_character_set_client_handshake, ids it does not know, init_connect), so it is read back once and remembered;
// resets and changes of hands restore exactly that.
// https://dev.mysql.com/doc/refman/8.4/en/charset-connection.html

import { BoundedCache } from "../base/bounded-cache.ts";
import type { ServerFacts, SessionNames } from "./backend-connection.ts";
import { type HousekeepingCommand, type HousekeepingReply, queryCommand } from "./housekeeping.ts";
import { BackendLoginError } from "./login-error.ts";

/** Reads what a login has given. */
export const namesQuery: HousekeepingCommand = queryCommand(
  "SELECT @@character_set_client, @@character_set_results, @@collation_connection",
);

/** Names as they may stand in a statement without quotes. */
const namePattern = /^[A-Za-z0-9_]{1,64}$/;

/**
 * Reads the reply to {@link namesQuery}.
 * @throws BackendLoginError when it is none.
 */
export function namesOf(reply: HousekeepingReply): SessionNames {
  const row = reply.kind === "rows" ? reply.rows[0] : undefined;
  const [client, results, collation] = row ?? [];
  if (!isName(client) || !isName(collation) || !(results === null || isName(results))) {
    throw new BackendLoginError("protocol", "The server does not tell its character sets");
  }
  return { client, results, collation };
}

function isName(value: string | null | undefined): value is string {
  return typeof value === "string" && namePattern.test(value);
}

/** Assignments that make a connection's character sets these; for a SET statement. */
export function nameAssignments(names: SessionNames): string {
  return [
    `character_set_client=${names.client}`,
    `character_set_results=${names.results ?? "NULL"}`,
    `collation_connection=${names.collation}`,
  ].join(", ");
}

/** Remembers names by server and collation id. */
export class SessionNamesCache {
  readonly #known = new BoundedCache<string, SessionNames>({ entriesMax: 4096 });

  get(tablet: string, server: ServerFacts, collation: number): SessionNames | null {
    return this.#known.get(keyOf(tablet, server, collation)) ?? null;
  }

  set(tablet: string, server: ServerFacts, collation: number, names: SessionNames): void {
    this.#known.set(keyOf(tablet, server, collation), names);
  }
}

function keyOf(tablet: string, server: ServerFacts, collation: number): string {
  return `${collation} ${server.versionText} ${tablet}`;
}
