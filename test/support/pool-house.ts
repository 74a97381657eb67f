// A pool over servers in memory, for tests of the pool.
import { afterEach } from "vitest";
import { housekeepingPermit } from "../../src/acl/permit.ts";
import type { AcquireRequest, BackendLease } from "../../src/backend/backend-pool.ts";
import { ConnectionPool } from "../../src/backend/connection-pool.ts";
import { defaultPoolLimits, type PoolLimits, type PoolTools } from "../../src/backend/pool-settings.ts";
import { SqlError } from "../../src/errors/sql-error.ts";
import type { BackendAccount, Tablet } from "../../src/routing/route.ts";
import { toFrames } from "./raw/frame-reader.ts";
import { waitUntil, within } from "./scratch.ts";
import { type BackendBehaviour, MemoryBackend } from "./scripted-backend.ts";

export const tablet: Tablet = {
  alias: "backend",
  address: { kind: "unix", path: "/none" },
  tls: { mode: "DISABLED", ca: null, cert: null, key: null },
};
export const account: BackendAccount = {
  name: "default",
  user: "service",
  password: () => "pw",
  generation: 1,
};
export const permit = housekeepingPermit("test");
const pools: ConnectionPool[] = [];

afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

/** One pool and its server. */
export class House {
  readonly backend: MemoryBackend;
  readonly pool: ConnectionPool;
  readonly closedBecause: string[] = [];
  readonly failures: string[] = [];
  readonly taken: string[] = [];
  nowMs = 1000;
  timeouts = 0;
  madeInAdvance = 0;

  constructor(
    behaviour: BackendBehaviour = {},
    limits: Partial<PoolLimits> = {},
    tools: Partial<PoolTools> = {},
  ) {
    this.backend = new MemoryBackend(behaviour);
    this.pool = new ConnectionPool(
      { ...defaultPoolLimits, connectionsMax: 4, waitTimeoutMs: 2000, idleTimeoutMs: 0, ...limits },
      {
        clock: { monotonicMs: () => this.nowMs, wallMs: () => this.nowMs },
        logIn: this.backend.logIn,
        sessionAssignments: null,
        observer: {
          loginFinished: () => {},
          waited: () => {},
          madeInAdvance: () => {
            this.madeInAdvance += 1;
          },
          taken: (why) => void this.taken.push(why),
          waitTimedOut: () => {
            this.timeouts += 1;
          },
          connectionClosed: (_tablet, reason) => this.closedBecause.push(reason),
          loginFailed: (_tablet, _account, reason) => this.failures.push(reason),
        },
        ...tools,
      },
    );
    pools.push(this.pool);
  }

  acquire(
    database: string | null = null,
    request: Partial<AcquireRequest> & { account?: BackendAccount } = {},
  ): Promise<BackendLease | SqlError> {
    const route = {
      keyspace: null,
      tabletType: "primary" as const,
      tablet,
      account: request.account ?? account,
      database,
    };
    const signal = new AbortController().signal;
    return this.pool.acquire({ capabilities: 0, collation: 45, signal, ...request, route });
  }

  async lease(
    database: string | null = null,
    request: Parameters<House["acquire"]>[1] = {},
  ): Promise<BackendLease> {
    const lease = await within(this.acquire(database, request), "a lease");
    if (lease instanceof SqlError) throw lease;
    return lease;
  }

  async error(
    database: string | null = null,
    request: Parameters<House["acquire"]>[1] = {},
  ): Promise<SqlError> {
    const error = await within(this.acquire(database, request), "an error");
    if (!(error instanceof SqlError)) throw new Error("got a lease");
    return error;
  }

  get snapshot() {
    return this.pool.snapshot()[0];
  }
}

/** Runs a command of a session and waits for its reply. */
export async function use(lease: BackendLease, text: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  lease.connection.setReceiver({ onBytes: (chunk) => chunks.push(Buffer.from(chunk)), onClosed: () => {} });
  lease.connection.resume();
  lease.connection.send(permit, toFrames(Buffer.concat([Buffer.of(3), Buffer.from(text)]), 0));
  return waitUntil(() => chunks[0], "a reply");
}
