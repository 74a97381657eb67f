// Everything that a gateway is told when it is made: plain data, units in the names, no flag spelling and no default
// (those stand in cli/flags). Zero in a timeout or limit means what its line says.

import type { ClientCertMethod } from "../auth/clientcert-authenticator.ts";
import type { BufferLimits } from "../backend/outage-buffer.ts";
import type { BackendAddress, BackendTls } from "../routing/route.ts";
import type { ProxyUserOptions } from "../users/proxy-users.ts";

/** Where clients connect. At least one of `tcp` and `unixSocketPath` is set. */
export interface ListenOptions {
  /** Port 0: the system picks one, the log tells which. */
  readonly tcp: { readonly host: string; readonly port: number } | null;
  readonly unixSocketPath: string | null;
  /** Networks (CIDR or address) whose connections must begin with a PROXY header; empty: PROXY protocol is off. */
  readonly proxyProtocolTrusted: readonly string[];
  /** TCP keepalive probe period; 0: the system's own, keepalive on. */
  readonly keepAlivePeriodMs: number;
}

/** TLS toward clients; the files are watched and reloaded, a bad set keeps the last good one. */
export interface ClientTlsOptions {
  /** PEM: certificate with its chain. */
  readonly certFile: string;
  /** PEM: private key. */
  readonly keyFile: string;
  /** PEM: more of the chain, sent behind the certificate; null: none. */
  readonly serverCaFile: string | null;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** null: clients are not asked for certificates. */
  readonly clientTrust: ClientTrustOptions | null;
}

/** How certificates of clients are verified. */
export interface ClientTrustOptions {
  /** PEM: roots and intermediates, in any order. */
  readonly caFile: string;
  /** PEM: one revocation list for every CA; null: nothing is revoked. */
  readonly crlFile: string | null;
  /** Whether every TCP client must present one. */
  readonly isRequired: boolean;
}

/** Where users come from. */
export type UsersSource =
  /** A users file, watched; `reloadIntervalMs` 0: no interval beside the watch. */
  | { readonly kind: "file"; readonly path: string; readonly reloadIntervalMs: number }
  /** The same format, given at start; never reloaded. */
  | { readonly kind: "text"; readonly text: string }
  /** Code given from outside: see GatewayHooks. */
  | { readonly kind: "hook" };

/** How logins are judged. */
export type AuthOptions =
  | {
      readonly kind: "static";
      readonly users: UsersSource;
      /** Whether sessions end when a reload removes their entry. */
      readonly disconnectRemoved: boolean;
      /** Whether mysql_clear_password is accepted over plain TCP. */
      readonly allowClearTextWithoutTls: boolean;
      /** PEM, watched; null: one 2048-bit key is made at start. */
      readonly rsaPrivateKeyFile: string | null;
      /** Whether a credentials file that others may read is refused (otherwise a warning). */
      readonly strictFileMode: boolean;
      /** Which logins are mapped to base users. */
      readonly proxyUsers: ProxyUserOptions;
    }
  /** The client's certificate is the credential: its common name is the user. */
  | { readonly kind: "clientcert"; readonly method: ClientCertMethod }
  /** Every name logs in, with any password: UserData is the name. */
  | { readonly kind: "none" };

/** Who may do what to which table. */
export interface TableAclOptions {
  /** The table ACL file, watched; `reloadIntervalMs` 0: no interval beside the watch. */
  readonly path: string;
  readonly reloadIntervalMs: number;
  /** Whether what the file does not allow is denied. */
  readonly strict: boolean;
  /** Whether denials are only counted and recorded. */
  readonly dryRun: boolean;
  /** Principals that nothing is denied to. */
  readonly exempt: readonly string[];
}

/** A password that is not shown by printing the options. */
export type SecretSource =
  | { readonly kind: "inline"; readonly reveal: () => string }
  /** The file's content without a line break at its end; watched. */
  | { readonly kind: "file"; readonly path: string };

/** The database servers behind the gateway. */
export type BackendOptions =
  /** A private child of the gateway on a unix socket. */
  | { readonly kind: "embedded"; readonly dataDirectory: string }
  | {
      readonly kind: "server";
      readonly address: BackendAddress;
      readonly tls: BackendTls;
      readonly user: string;
      readonly password: SecretSource;
      /** Default schema of sessions that name none; null: none. */
      readonly database: string | null;
    }
  /** Many, told by a file, which is watched. */
  | { readonly kind: "topology"; readonly path: string };

/** Backend connections, per tablet and account. */
export interface BackendPoolOptions {
  /** Connections in use and idle together. */
  readonly connectionsMax: number;
  /** Longest wait for a free one; then 1203. */
  readonly waitTimeoutMs: number;
  /** An idle connection is closed after this time; 0: never. */
  readonly idleTimeoutMs: number;
  /** An older connection serves no further session; 0: there is no age. */
  readonly lifetimeMs: number;
  /** Kept ready while nobody asks; 0: none. */
  readonly minIdle: number;
}

/** Limits toward clients. */
export interface LimitOptions {
  /** 1040 beyond. */
  readonly connectionsMax: number;
  /** 1203 beyond; 0: no limit. */
  readonly connectionsPerUserMax: number;
  /** Longest packet of a client, in bytes; 1153 beyond. */
  readonly packetBytesMax: number;
  /** Prepared statements of all sessions; 1461 beyond. */
  readonly preparedStatementsMax: number;
  /** Statements that wait in memory, all sessions together, in bytes: backpressure, then 1041. */
  readonly statementBufferBytesMax: number;
}

/** Waits toward clients; 0: no limit, unless said otherwise. */
export interface TimeoutOptions {
  /** From accept to authenticated. Always set. */
  readonly connectMs: number;
  /** Between two commands; 4031. */
  readonly idleMs: number;
  /** Within a command that the client has begun to send. */
  readonly readMs: number;
  /** A client that does not take its reply while a backend connection is held for it. */
  readonly writeMs: number;
  /** One statement; 3024, and the statement is killed. */
  readonly queryMs: number;
}

/** SIGTERM. */
export interface ShutdownOptions {
  /** So long everything goes on, in milliseconds, but that the gateway says that it is not ready. */
  readonly lameduckMs: number;
  /**
   * True: stop accepting and let clients finish and leave by themselves, until `timeoutMs`. False: stop accepting, let
   * running statements end (until `timeoutMs`), close idle clients at once.
   */
  readonly drainOnTerm: boolean;
  readonly timeoutMs: number;
}

/** The HTTP side. */
export interface AdminOptions {
  readonly host: string;
  /** Port 0: the system picks one, the log tells which. */
  readonly port: number;
  /** File with the token that /api demands, watched; null: /api answers on loopback only. */
  readonly tokenFile: string | null;
}

/** One gateway. */
export interface GatewayOptions {
  readonly listen: ListenOptions;
  /** Announced in the greeting; null: the backend's own. */
  readonly serverVersion: string | null;
  readonly auth: AuthOptions;
  /** null: no TLS. */
  readonly clientTls: ClientTlsOptions | null;
  /** Whether plain TCP is refused (3159). */
  readonly requireSecureTransport: boolean;
  /** null: everybody may do what the backend account may do. */
  readonly tableAcl: TableAclOptions | null;
  readonly backend: BackendOptions;
  readonly backendPool: BackendPoolOptions;
  /** Statements that wait out an outage. */
  readonly buffer: BufferLimits;
  /** Whether LOAD DATA LOCAL is offered; the backend's own setting decides then. */
  readonly localInfile: boolean;
  /** Whether forwarded statements begin with a comment that says whose they are. */
  readonly callerIdComment: boolean;
  readonly limits: LimitOptions;
  readonly timeouts: TimeoutOptions;
  readonly shutdown: ShutdownOptions;
  /** null: no HTTP. */
  readonly admin: AdminOptions | null;
}
