// What a real server says to a limited account: allowed, or denied for want of a right.
import type { Connection } from "mysql2/promise";

/** `code` 0: it ran. */
export interface ServerAnswer {
  readonly code: number;
  readonly message: string;
}

const denials = new Set([1044, 1045, 1142, 1143, 1227, 1370, 1410]);

/** Whether the server refused for want of a right; any other error came after its judgement. */
export function isDenial(answer: ServerAnswer): boolean {
  return denials.has(answer.code);
}

/** MariaDB 10.11 never comes back from a few statements with nested WITHs, whatever max_statement_time says. */
const patienceMs = 30_000;

/** Whether the server has not answered in time: it is to be started again. */
export function isLostInThought(error: unknown): boolean {
  return (error as { code?: string }).code === "PROTOCOL_SEQUENCE_TIMEOUT";
}

/** Runs one statement; its error is an answer. Rejects where there is none, see `isLostInThought`. */
export async function tryStatement(connection: Connection, sql: string): Promise<ServerAnswer> {
  try {
    const [result] = await connection.query({ sql, timeout: patienceMs });
    return deniedInRows(result) ?? { code: 0, message: "" };
  } catch (error) {
    const { errno, message } = error as { errno?: number; message: string };
    if (errno === undefined) throw error;
    return { code: errno, message };
  }
}

/** CHECK TABLE and its kin tell errors in rows: Msg_type Error, Msg_text the denial. */
function deniedInRows(result: unknown): ServerAnswer | null {
  if (!Array.isArray(result)) return null;
  for (const row of result as { Msg_type?: string; Msg_text?: string }[]) {
    const text = row?.Msg_text ?? "";
    if (row?.Msg_type === "Error" && / command denied to user /.test(text))
      return { code: 1142, message: text };
  }
  return null;
}
