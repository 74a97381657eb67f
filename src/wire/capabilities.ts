// Capability bits of the connection phase, and what the gateway does with each.
// https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html

/** One row: the bit and our policy. */
interface CapabilityRow {
  readonly bit: number;
  /**
   * `offered`: layout of the login, ours alone. `relayed`: changes bytes or meaning of commands and replies, so it is
   * offered when the backend has it and the backend connection is logged in with what the client chose.
   * `conditional`: offered by configuration. `withheld`: not offered.
   */
  readonly policy: "offered" | "relayed" | "conditional" | "withheld";
}

/** THE table of capabilities. */
export const capabilityTable = {
  LONG_PASSWORD: { bit: 0x1, policy: "offered" },
  FOUND_ROWS: { bit: 0x2, policy: "relayed" },
  LONG_FLAG: { bit: 0x4, policy: "offered" },
  CONNECT_WITH_DB: { bit: 0x8, policy: "offered" },
  NO_SCHEMA: { bit: 0x10, policy: "relayed" },
  COMPRESS: { bit: 0x20, policy: "withheld" },
  ODBC: { bit: 0x40, policy: "relayed" },
  LOCAL_FILES: { bit: 0x80, policy: "conditional" },
  IGNORE_SPACE: { bit: 0x100, policy: "relayed" },
  PROTOCOL_41: { bit: 0x200, policy: "offered" },
  INTERACTIVE: { bit: 0x400, policy: "relayed" },
  SSL: { bit: 0x800, policy: "conditional" },
  IGNORE_SIGPIPE: { bit: 0x1000, policy: "offered" },
  TRANSACTIONS: { bit: 0x2000, policy: "offered" },
  RESERVED: { bit: 0x4000, policy: "offered" },
  SECURE_CONNECTION: { bit: 0x8000, policy: "offered" },
  MULTI_STATEMENTS: { bit: 0x10000, policy: "relayed" },
  MULTI_RESULTS: { bit: 0x20000, policy: "relayed" },
  PS_MULTI_RESULTS: { bit: 0x40000, policy: "relayed" },
  PLUGIN_AUTH: { bit: 0x80000, policy: "offered" },
  CONNECT_ATTRS: { bit: 0x100000, policy: "offered" },
  PLUGIN_AUTH_LENENC: { bit: 0x200000, policy: "offered" },
  CAN_HANDLE_EXPIRED_PASSWORDS: { bit: 0x400000, policy: "offered" },
  SESSION_TRACK: { bit: 0x800000, policy: "relayed" },
  DEPRECATE_EOF: { bit: 0x1000000, policy: "relayed" },
  OPTIONAL_RESULTSET_METADATA: { bit: 0x2000000, policy: "withheld" },
  ZSTD: { bit: 0x4000000, policy: "withheld" },
  QUERY_ATTRIBUTES: { bit: 0x8000000, policy: "withheld" },
  MULTI_FACTOR_AUTHENTICATION: { bit: 0x10000000, policy: "withheld" },
  CAPABILITY_EXTENSION: { bit: 0x20000000, policy: "withheld" },
  SSL_VERIFY_SERVER_CERT: { bit: 0x40000000, policy: "withheld" },
  REMEMBER_OPTIONS: { bit: 0x80000000, policy: "withheld" },
} as const satisfies Record<string, CapabilityRow>;

export const CLIENT_CONNECT_WITH_DB = 0x8;
export const CLIENT_LOCAL_FILES = 0x80;
export const CLIENT_PROTOCOL_41 = 0x200;
export const CLIENT_SSL = 0x800;
export const CLIENT_SECURE_CONNECTION = 0x8000;
export const CLIENT_PLUGIN_AUTH = 0x80000;
export const CLIENT_CONNECT_ATTRS = 0x100000;
export const CLIENT_PLUGIN_AUTH_LENENC = 0x200000;
export const CLIENT_SESSION_TRACK = 0x800000;
export const CLIENT_DEPRECATE_EOF = 0x1000000;

const bitsOf = (policy: CapabilityRow["policy"]): number =>
  Object.values(capabilityTable)
    .filter((row) => row.policy === policy)
    .reduce((bits, row) => (bits | row.bit) >>> 0, 0);

const offeredBits = bitsOf("offered");
/** The bits that change bytes or meaning: equal on both sides of the gateway, and part of the pool key. */
export const relayedBits: number = (bitsOf("relayed") | CLIENT_LOCAL_FILES) >>> 0;

/** What the greeting offers in front of backends that have `backendCapabilities`; SSL is added by who knows. */
export function announcedCapabilities(backendCapabilities: number): number {
  return (offeredBits | (relayedBits & backendCapabilities)) >>> 0;
}
