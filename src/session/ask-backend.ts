// What the gateway asks a server on its own behalf before it answers a session's command: how the server reads texts,
// and what the service account may do. Knows nothing of commands.

import type { BackendLease, RunningStatement, ToldError } from "../backend/backend-pool.ts";
import { SqlError } from "../errors/sql-error.ts";
import type { Router } from "../routing/router.ts";
import type { BackendHolder } from "./backend-holder.ts";
import { readingOf } from "./reading.ts";
import type { SessionState } from "./session.ts";
import type { StatementText } from "./statement-text.ts";

/** What is asked of, and for. */
interface AskingSession {
  readonly state: SessionState;
  readonly backend: BackendHolder;
  readonly services: { readonly router: () => Router };
}

/**
 * Makes sure that it is known how the server reads the session's texts; the error, when that cannot be had. `text`:
 * what decides which server that is; null: no text. The text that is to be read next may ask for FOUND_ROWS().
 */
export async function learnReading(
  { state, backend, services }: AskingSession,
  text: StatementText | null,
  mayAskForFoundRows: boolean,
): Promise<SqlError | null> {
  const silence = "it does not tell its session variables";
  const variables = await backend.ask(text, silence, (lease) =>
    lease.readVariables(mayAskForFoundRows, [...state.following.computed]),
  );
  if (variables instanceof SqlError) return variables;
  const because = state.following.noteVariables(variables);
  if (because !== null) backend.pin(because);
  state.reading = readingOf(variables);
  // Where schemas have names of their own, nobody but the gateway enters them; only a drop goes unseen.
  if (services.router().schemas === null) state.database = variables.database;
  else if (variables.database === null && backend.serverSchemas(null).present !== null) {
    backend.noteServerSchema(null);
    state.database = null;
  }
  return null;
}

/** What the service account may do, line by line as SHOW GRANTS has it; the error, when that cannot be had. */
export function readGrants(backend: BackendHolder): Promise<readonly string[] | SqlError> {
  return backend.ask(null, "it does not tell its account's grants", (lease) => lease.readGrants());
}

/** What a user variable of the session holds, if it is a whole number; the error, when that cannot be had. */
export async function readUserVariable(
  backend: BackendHolder,
  name: string,
): Promise<number | null | SqlError> {
  const answer = await backend.ask(null, "it does not tell a user variable", (lease) =>
    lease.readUserVariable(name),
  );
  return answer instanceof SqlError ? answer : answer.value;
}

/**
 * What the server at hand says of its threads: of those whose ids `threads` names once it is known which server that is.
 * The error, when it cannot be asked.
 */
export function readRunning(
  backend: BackendHolder,
  threads: (tablet: string) => readonly number[],
): Promise<ReadonlyMap<number, RunningStatement> | SqlError> {
  return backend.ask(null, "it does not tell what it is doing", async (lease) => {
    const ids = threads(lease.route.tablet.alias);
    return ids.length === 0 ? new Map() : lease.readRunning(ids);
  });
}

/** What the last reply was to the client: of so many rows, or this error. */
export type LastReply =
  /** `isRecalled`: an earlier one, on a connection that was left since. */
  { readonly rows: number; readonly isRecalled: boolean } | { readonly error: ToldError };

/** Makes the server say the same of the last reply; null: it does not. */
export function settleLastReply(lease: BackendLease, last: LastReply): Promise<true | null> {
  return "rows" in last ? lease.hideLastReply(last.rows) : lease.tellLastError(last.error);
}
