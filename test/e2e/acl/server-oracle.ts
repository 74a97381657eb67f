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

/** Runs one statement; its error is an answer. */
export async function tryStatement(connection: Connection, sql: string): Promise<ServerAnswer> {
  try {
    const [result] = await connection.query(sql);
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
