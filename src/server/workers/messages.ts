// What the first process and its workers say to each other. Plain data: Node sends it as JSON over the channel of
// node:cluster. No secret of a client is among it; the RSA key and the account of the embedded database are, at the start.

import type { UsersPart } from "../../admin/admin-sources.ts";
import type { EmbeddedAccess } from "../gateway-seam.ts";

/** What a worker is told at its start. */
export interface WorkerStart {
  /** The upper 12 bits of its connection ids: no two live workers have the same. */
  readonly idPrefix: number;
  readonly workers: number;
  /** Base64: entries of the users file have the same fingerprints everywhere. */
  readonly fingerprintKey: string;
  /** PEM; null: a key file is configured, or none is needed. */
  readonly rsaKeyPem: string | null;
  /** null: `--backend` or a topology names the servers. */
  readonly embedded: EmbeddedAccess | null;
  /** The same for all of them; null: there is no TCP. */
  readonly tcpPort: number | null;
  /** Whom the workers that are there write to, by keyspace. */
  readonly primaries: Readonly<Record<string, string>>;
}

/** To a worker. */
export type ToWorker =
  | { readonly kind: "start"; readonly start: WorkerStart }
  | { readonly kind: "stop"; readonly reason: string }
  | { readonly kind: "reload"; readonly trigger: string }
  | { readonly kind: "reopen" }
  | { readonly kind: "granted"; readonly place: string; readonly granted: number }
  | { readonly kind: "kill"; readonly id: number; readonly scope: "query" | "connection" }
  | { readonly kind: "end_session"; readonly id: number; readonly from: string }
  | { readonly kind: "question"; readonly number: number; readonly question: Question }
  | { readonly kind: "answer"; readonly number: number; readonly answer: unknown };

/** Of the first process to a worker. */
export type Question =
  /** How many places it uses: a number. What it held beyond is the first process's again. */
  | { readonly about: "used"; readonly place: string }
  /** The login user of a session: a string or null. */
  | { readonly about: "owner"; readonly id: number }
  /** Whom it writes to: an object of aliases by keyspace. */
  | { readonly about: "primaries" }
  /** What may be shown of its sessions: an array of SessionView. */
  | { readonly about: "sessions" }
  /** What the admin side shows: a WorkerReport. */
  | { readonly about: "report"; readonly withSessions: boolean }
  /** What it has seen of entries of the users file: a UserActivitySnapshot or null. */
  | { readonly about: "users"; readonly part: UsersPart };

/** From a worker. */
export type FromWorker =
  | { readonly kind: "hello" }
  | { readonly kind: "ready"; readonly addresses: readonly string[] }
  | { readonly kind: "failed"; readonly message: string }
  | {
      readonly kind: "ask";
      readonly place: string;
      readonly max: number;
      /** Places in use, and how many sessions wait for one. */
      readonly used: number;
      readonly wanted: number;
    }
  | { readonly kind: "return"; readonly place: string }
  | { readonly kind: "owner"; readonly number: number; readonly id: number }
  | { readonly kind: "sessions"; readonly number: number }
  | { readonly kind: "kill"; readonly id: number; readonly scope: "query" | "connection" }
  | { readonly kind: "answer"; readonly number: number; readonly answer: unknown };
