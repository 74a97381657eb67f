// The result of routing: which server, with which account. Pure data.

import type { TabletType } from "./target.ts";

/** How TLS toward a backend is done, in the words of the MySQL client's --ssl-mode. */
export type BackendTlsMode = "DISABLED" | "REQUIRED" | "VERIFY_CA" | "VERIFY_IDENTITY";

/** TLS settings toward one backend; the paths are PEM files, null where none was given. */
export interface BackendTls {
  readonly mode: BackendTlsMode;
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** Where a server listens. */
export type BackendAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** One database server. */
export interface Tablet {
  /** Unique name, e.g. `db1`; `backend` for the single one. */
  readonly alias: string;
  readonly address: BackendAddress;
  readonly tls: BackendTls;
}

/** The account that the gateway uses on a server. The password stays behind a function: it never gets logged. */
export interface BackendAccount {
  /** Name in the topology file (`default`, `reporting`, ...). */
  readonly name: string;
  readonly user: string;
  readonly password: () => string;
  /** Changes when the credential changes; old connections then drain. */
  readonly generation: number;
}

/** Where one statement goes. */
export interface Route {
  /** The keyspace that it is about; null: there are none, but one server. */
  readonly keyspace: string | null;
  /** What the tablet is to the keyspace. */
  readonly tabletType: TabletType;
  readonly tablet: Tablet;
  readonly account: BackendAccount;
  /** The server's schema to use by default; null: none. */
  readonly database: string | null;
  /**
   * Reads must show what the session has written itself: the server has so long to come to that, in milliseconds, else
   * the primary serves them. @default they need not
   */
  readonly ownWritesWithinMs?: number;
}
