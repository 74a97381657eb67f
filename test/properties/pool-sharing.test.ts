// Sessions of all kinds take turns on few connections of a server in memory: whoever gets one finds on it what it wants,
// whatever was there before, and is told the insert id that it left behind.
import fc from "fast-check";
import { expect, it } from "vitest";
import type { BackendLease, Handover, ToldLeftovers } from "../../src/backend/backend-pool.ts";
import {
  noSettings,
  type SessionSettings,
  withNames,
  withVariable,
} from "../../src/backend/session-settings.ts";
import { SqlError } from "../../src/errors/sql-error.ts";
import { House } from "../support/pool-house.ts";
import { waitUntil, within } from "../support/scratch.ts";
import { rowReply, type ServerSide } from "../support/scripted-backend.ts";

const atLogin = { names: "login", sql_mode: "@@GLOBAL", time_zone: "@@GLOBAL", last_insert_id: "0" };

/** What the server in memory has in force on each of its connections. */
class Server {
  readonly #states = new Map<ServerSide, Record<string, string>>();

  of(connection: ServerSide): Record<string, string> {
    let state = this.#states.get(connection);
    if (state === undefined) {
      state = { ...atLogin };
      this.#states.set(connection, state);
    }
    return state;
  }

  answer(command: string, connection: ServerSide): Buffer | undefined {
    const state = this.of(connection);
    if (command === "RESET") Object.assign(state, atLogin);
    if (command === "QUERY SELECT LAST_INSERT_ID()") return rowReply([state.last_insert_id ?? "0"]);
    if (!command.startsWith("QUERY SET ")) return undefined;
    for (const element of command.slice(10).split(", ")) {
      const names = /^NAMES (\S+)$/.exec(element)?.[1];
      if (names !== undefined) state.names = names;
      else if (element.startsWith("character_set_client=")) state.names = "login";
      const [name = "", value = ""] = element.replace("SESSION ", "").split("=");
      if (name in state) state[name] = value.startsWith("@@GLOBAL") ? "@@GLOBAL" : value;
    }
    return undefined;
  }
}

interface Session {
  readonly database: string;
  settings: SessionSettings;
  /** What the server must say; null: nobody has told the session yet. */
  insertId: string | null;
  /** The pool is closed: what a connection still owes is lost. */
  isOver: boolean;
  readonly expected: Record<string, string>;
  lease: BackendLease | null;
}

const change = fc.oneof(
  fc.constantFrom("ANSI", "TRADITIONAL").map((mode) => ({ kind: "sql_mode" as const, value: mode })),
  fc.constantFrom("+01:00", "+02:00", null).map((zone) => ({ kind: "time_zone" as const, value: zone })),
  fc.constantFrom("latin1", "utf8mb4").map((names) => ({ kind: "names" as const, value: names })),
  fc.integer({ min: 1, max: 99 }).map((id) => ({ kind: "insert" as const, value: String(id) })),
);

it("a session finds its own state on whatever connection it gets", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ who: fc.nat({ max: 5 }), changes: fc.array(change, { maxLength: 2 }) }), {
        minLength: 5,
        maxLength: 40,
      }),
      async (turns) => {
        const server = new Server();
        const house = new House(
          { flavour: "mysql", onCommand: (command, at) => server.answer(command, at) },
          { connectionsMax: 2 },
        );
        const sessions = Array.from(
          { length: 6 },
          (_, index): Session => ({
            database: index % 2 === 0 ? "shop" : "crm",
            settings: noSettings,
            insertId: "0",
            isOver: false,
            expected: { ...atLogin },
            lease: null,
          }),
        );
        for (const { who, changes } of turns) {
          const session = sessions[who] as Session;
          await takeTurn(house, server, session, changes);
        }
        for (const session of sessions) session.isOver = true;
        await house.pool.close();
      },
    ),
    { numRuns: 40 },
  );
});

async function takeTurn(
  house: House,
  server: Server,
  session: Session,
  changes: readonly { readonly kind: string; readonly value: string | null }[],
): Promise<void> {
  const held = session.lease;
  if (held === null) {
    expect(session.insertId).not.toBeNull();
    const { settings } = session;
    const lease = await within(
      house.acquire(session.database, { settings, insertId: session.insertId ?? "0" }),
      "a lease",
    );
    if (lease instanceof SqlError) throw lease;
    session.lease = lease;
  } else held.keep();
  const lease = session.lease as BackendLease;
  const connection = house.backend.connections.find(({ id }) => id === lease.connection.id) as ServerSide;
  expect(connection.schema).toBe(session.database);
  const state = server.of(connection);
  expect(state).toEqual(session.expected);
  for (const { kind, value } of changes) {
    if (kind === "insert") {
      session.insertId = null;
      state.last_insert_id = value ?? "0";
    } else if (kind === "names") {
      session.settings = withNames(session.settings, value ?? "", null) ?? session.settings;
      state.names = value ?? "";
    } else {
      session.settings = withVariable(session.settings, kind, value) ?? session.settings;
      state[kind] = value === null ? "@@GLOBAL" : `'${value}'`;
    }
  }
  Object.assign(session.expected, state);
  // Streams in memory tell late that the other end has read.
  await waitUntil(() => lease.connection.unwrittenBytes === 0, "its bytes to be read");
  lease.offer(
    {
      describe: (): Handover => ({
        database: session.database,
        settings: session.settings,
        multiStatements: false,
        insertId: session.insertId,
        hasDiagnostics: false,
      }),
      onTaken: () => {
        session.lease = null;
        if (session.insertId !== null) return null;
        const tell = (told: ToldLeftovers | null): void => {
          if (session.isOver) return;
          session.insertId = told?.insertId ?? null;
          expect(session.insertId).toBe(session.expected.last_insert_id);
        };
        return { foundRows: false, tell };
      },
    },
    house.nowMs,
  );
  house.nowMs += 1;
}
