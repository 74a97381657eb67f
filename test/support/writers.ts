// Clients that write for as long as they are let, and remember what they were told: rows with ids of their own, so that
// what was acknowledged, what failed and what ran twice can be counted afterwards.
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { expect } from "vitest";
import type { DatabaseServer } from "./database-server.ts";
import { testUser } from "./gateway-process.ts";
import { waitUntil } from "./scratch.ts";

/** What a statement that failed was told. */
export interface Failure {
  readonly id: number;
  readonly code: string;
  readonly message: string;
}

/** Clients at work. */
export interface Writers {
  /** Ids whose INSERT was acknowledged. */
  readonly acknowledged: readonly number[];
  readonly failed: readonly Failure[];
  /** Resolves when `count` more were acknowledged. */
  advance(count: number, timeoutMs?: number): Promise<void>;
  /** Ends them after what they do now. */
  stop(): Promise<void>;
}

/** The table that writers fill: its own key is no id, so that an id can stand in it twice. */
export const writtenTable =
  "CREATE OR REPLACE TABLE shop.written (position BIGINT AUTO_INCREMENT PRIMARY KEY, id BIGINT NOT NULL, KEY (id))";

/** What a client writes: `text` with a question mark for the id. */
const insertRow = "INSERT INTO written (id) VALUES (?)";
/** All clients meet at this row. */
export const countUp = "UPDATE counted SET times = times + 1, last_id = ?";
export const countedTable =
  "CREATE OR REPLACE TABLE shop.counted (only_row INT PRIMARY KEY, times INT NOT NULL, last_id INT NOT NULL)";

/**
 * Starts `count` clients. The first half sends texts, the others execute a prepared statement. A client whose connection
 * was closed makes a new one and goes on with the next id: nothing is tried again.
 */
export function startWriters(port: number, count: number, statement = insertRow, database = "shop"): Writers {
  const acknowledged: number[] = [];
  const failed: Failure[] = [];
  const state = { next: 1, stopped: false };
  const connect = (): Promise<Connection> =>
    createConnection({
      host: "127.0.0.1",
      port,
      user: testUser.user,
      password: testUser.password,
      database,
    });
  const write = async (isPrepared: boolean): Promise<void> => {
    let connection: Connection | null = null;
    while (!state.stopped) {
      const id = state.next++;
      try {
        if (connection === null) {
          connection = await connect();
          connection.on("error", () => {});
        }
        if (isPrepared) await connection.execute(statement, [id]);
        else await connection.query(statement.replace("?", String(id)));
        acknowledged.push(id);
      } catch (error) {
        const {
          code = "",
          message = "",
          fatal,
        } = error as { code?: string; message?: string; fatal?: boolean };
        failed.push({ id, code, message });
        if (fatal === true || connection === null) {
          connection?.destroy();
          connection = null;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    }
    await connection?.end().catch(() => {});
  };
  const all = Array.from({ length: count }, (_, index) => write(index >= count / 2));
  return {
    acknowledged,
    failed,
    async advance(more, timeoutMs = 20_000) {
      const wanted = acknowledged.length + more;
      await waitUntil(() => acknowledged.length >= wanted, `${more} more writes`, timeoutMs).catch(
        (cause) => {
          const last = failed.slice(-3).map(({ code, message }) => `${code} ${message}`);
          throw new Error(`${cause.message}; ${failed.length} have failed, at last: ${last.join(", ")}`, {
            cause,
          });
        },
      );
    },
    async stop() {
      state.stopped = true;
      await Promise.all(all);
    },
  };
}

/** Every acknowledged row is there, and none is there twice. `before`: statements that make the server wait for others. */
export async function expectNothingLost(
  server: DatabaseServer,
  writers: Writers,
  ...before: string[]
): Promise<void> {
  const rows = await server.admin(...before, "SELECT id, COUNT(*) AS times FROM shop.written GROUP BY id");
  const times = new Map(rows.map((row) => [Number(row.id), Number(row.times)]));
  expect(writers.acknowledged.length).toBeGreaterThan(50);
  expect(writers.acknowledged.filter((id) => times.get(id) !== 1)).toEqual([]);
  expect([...times].filter(([, count]) => count > 1)).toEqual([]);
}
