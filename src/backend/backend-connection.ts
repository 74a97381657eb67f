// One logged-in connection to a database server, as the session sees it. It carries bytes of commands that hold a
// Permit and hands back the bytes of replies; it understands neither.

import type { Permit } from "../acl/permit.ts";
import type { ByteReceiver } from "../base/byte-channel.ts";
import type { PreparedCopies } from "./prepared-copies.ts";

/** Which family a server is of; decides syntax and quirks. */
export type ServerFlavour = "mysql" | "mariadb";

/** What a server's greeting told. */
export interface ServerFacts {
  /** As greeted, e.g. `5.5.5-10.11.19-MariaDB` or `9.7.4`. */
  readonly versionText: string;
  readonly flavour: ServerFlavour;
  /** 100000-based as in executable comments: 10.11.19 -> 101119, 8.0.36 -> 80036. */
  readonly versionNumber: number;
  /** All capability bits that the server announced. */
  readonly capabilities: number;
  /** The collation id of the greeting. */
  readonly collation: number;
}

/** The character sets that a connection began with, as the server named them after the login. */
export interface SessionNames {
  /** `@@character_set_client`, e.g. `utf8mb4`: what the server reads statements as. */
  readonly client: string;
  /** `@@character_set_results`; null: results come as they are stored. */
  readonly results: string | null;
  /** `@@collation_connection`; its character set is `@@character_set_connection`. */
  readonly collation: string;
}

/** The server's thread id; never shown to a client. */
export type BackendConnectionId = number & { readonly __brand: "BackendConnectionId" };

/** A connection in the hands of one session. */
export interface BackendConnection {
  readonly id: BackendConnectionId;
  readonly server: ServerFacts;
  /** The capability bits of this connection: equal to the client's in all that changes bytes or meaning. */
  readonly capabilities: number;
  /** The collation id to which a reset goes back on MariaDB. */
  readonly loginCollation: number;
  /** In force when the lease begins. */
  readonly names: SessionNames;
  /** The clients' statements that are prepared on it. */
  readonly prepared: PreparedCopies;
  /**
   * Sends bytes of a permitted command. True: the kernel took everything; false: `bytes` is still referred to until
   * `whenWritable` fires.
   */
  send(permit: Permit, bytes: Uint8Array): boolean;
  whenWritable(callback: () => void): void;
  readonly unwrittenBytes: number;
  /** Also tells a receiver that comes late when the connection is closed already. */
  setReceiver(receiver: ByteReceiver): void;
  pause(): void;
  resume(): void;
  readonly closed: boolean;
}
