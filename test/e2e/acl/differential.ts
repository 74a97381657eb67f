// The differential test: the same statements to a real server, as a limited account, and to the gate, with the same policy.
// Nothing that the server denies may be allowed by the gate, except a writer's own UPDATE or DELETE.
import type { Connection } from "mysql2/promise";
import { isDenial, type ServerAnswer, tryStatement } from "./server-oracle.ts";

/** What the gate says: null is a permit, otherwise the denial's text. */
export type Gate = (sql: string, ansiQuotes: boolean) => string | null;

/** One statement on which gate and server do not agree. */
export interface Disagreement {
  readonly sql: string;
  readonly server: string;
  readonly gate: string;
}

/** What a run has found. */
export class DifferentialResult {
  /** Allowed by the gate, denied by the server, and not the exception. */
  readonly holes: Disagreement[] = [];
  /** The documented exception. */
  readonly ownRows: Disagreement[] = [];
  /** Refused by the gate, run by the server. */
  readonly excess: Disagreement[] = [];
  serverAllowed = 0;
  serverDenied = 0;
  serverOther = 0;
}

/** A writer's own UPDATE or DELETE for which the server wants SELECT on the very table. */
export function isOwnRowsException(sql: string, answer: ServerAnswer): boolean {
  if (answer.code !== 1143 && answer.code !== 1142) return false;
  if (!answer.message.startsWith("SELECT command denied")) return false;
  const table = answer.message.match(/['`]([^'`]+)['`]$/)?.[1];
  if (table === undefined) return false;
  // The statement, or the one it carries, changes that table; the corpus names it right behind the verb or in FROM.
  return new RegExp(`\\b(update|delete)\\b[^;]*?\\b${table}\\b`, "is").test(sql);
}

/** Compares one statement. The server's verdict is asked first: what it runs stays run. */
export async function compare(
  account: Connection,
  gate: Gate,
  sql: string,
  result: DifferentialResult,
  ansiQuotes = false,
): Promise<ServerAnswer> {
  const verdict = gate(sql, ansiQuotes);
  const answer = await tryStatement(account, sql);
  const disagreement = {
    sql,
    server: `${answer.code} ${answer.message}`,
    gate: verdict ?? "permit",
  };
  if (isDenial(answer)) {
    result.serverDenied += 1;
    if (verdict === null) {
      if (isOwnRowsException(sql, answer)) result.ownRows.push(disagreement);
      else result.holes.push(disagreement);
    }
  } else if (answer.code === 0) {
    result.serverAllowed += 1;
    if (verdict !== null) result.excess.push(disagreement);
  } else {
    result.serverOther += 1;
  }
  return answer;
}
