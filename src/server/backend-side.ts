// What the gateway needs of the servers behind it, whatever they are: one embedded child, one server, later many.

import type { TabletRow } from "../admin/admin-sources.ts";
import type { BackendPool } from "../backend/backend-pool.ts";
import type { Outages } from "../backend/outage.ts";
import type { Router } from "../routing/router.ts";
import type { ReadingServer } from "../session/reading.ts";
import type { GreetingFacts } from "../session/session-services.ts";
import type { Expiry } from "./expiry.ts";

/** The servers behind the gateway. */
export interface BackendSide {
  readonly pool: BackendPool;
  readonly outages: Outages;
  router(): Router;
  /** What is known of them; the last known while they cannot be reached. */
  greeting(): GreetingFacts;
  /** The server as it reads texts, whatever the greeting says; null: none was seen yet. */
  readingServer(): ReadingServer | null;
  /** null: usable; else a sentence that says why not. */
  notReadyBecause(): string | null;
  /** Whom is written to now, by keyspace: alias of the server. */
  primaries(): Readonly<Record<string, string>>;
  /** What an operator should know although the gateway is ready. */
  notes(): readonly string[];
  /** The servers and their pools as they are now, for the status page. */
  tablets(): readonly TabletRow[];
  /** Certificates toward the servers: of the files, and those that servers showed. */
  expiries(): readonly Expiry[];
  /** Ends idle connections, stops watching, stops an embedded server. Never rejects. */
  stop(): Promise<void>;
}
