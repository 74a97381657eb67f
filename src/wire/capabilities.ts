// THE table of client capability bits, the refused ones too, with the gateway's policy for each. What stands in the
// greeting, in the key of backend pools and in our own logins is derived from it.
// https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html

/** The 32 capability bits of one connection, unsigned. */
export type Capabilities = number;

/**
 * What the gateway does with a bit.
 * `offered`: always announced; it concerns the layout of the login, or nothing at all.
 * `pool key`: changes bytes or meaning of commands and replies. Announced when the backend has it, and a backend
 * connection is logged in with it exactly when its client is.
 * `configured`: announced when a setting of the gateway says so; the session decides.
 * `mirrored`: announced when the backend announces it; plays no part afterwards.
 * `not offered`: never announced; a client that sends it all the same is treated as if it had not.
 */
export type CapabilityPolicy = "offered" | "pool key" | "configured" | "mirrored" | "not offered";

/** One row of the table. */
export interface CapabilityRow {
  readonly bit: Capabilities;
  readonly policy: CapabilityPolicy;
  /** What the bit changes, or why it is treated so. */
  readonly note: string;
}

/** Every bit; names as in the manual, without `CLIENT_`. */
export const capabilityTable = {
  LONG_PASSWORD: {
    bit: 0x1,
    policy: "mirrored",
    note: "MariaDB clears it to say that it is MariaDB; a client that clears it has extended bits in its filler",
  },
  FOUND_ROWS: { bit: 0x2, policy: "pool key", note: "affected rows count matches; cannot be set by SQL" },
  LONG_FLAG: { bit: 0x4, policy: "offered", note: "two bytes of column flags" },
  CONNECT_WITH_DB: { bit: 0x8, policy: "offered", note: "the login names a schema" },
  NO_SCHEMA: { bit: 0x10, policy: "pool key", note: "schema.table is refused" },
  COMPRESS: { bit: 0x20, policy: "not offered", note: "outer framing with its own sequence" },
  ODBC: { bit: 0x40, policy: "pool key", note: "name resolution of old ODBC clients" },
  LOCAL_FILES: { bit: 0x80, policy: "pool key", note: "LOAD DATA LOCAL asks the client for its file" },
  IGNORE_SPACE: { bit: 0x100, policy: "pool key", note: "sql_mode IGNORE_SPACE from the login on" },
  PROTOCOL_41: { bit: 0x200, policy: "offered", note: "a client without it is refused" },
  INTERACTIVE: { bit: 0x400, policy: "pool key", note: "interactive_timeout instead of wait_timeout" },
  SSL: { bit: 0x800, policy: "configured", note: "announced where a certificate is served" },
  IGNORE_SIGPIPE: { bit: 0x1000, policy: "offered", note: "concerns the client's library only" },
  TRANSACTIONS: { bit: 0x2000, policy: "offered", note: "status flags; without PROTOCOL_41 only" },
  RESERVED: { bit: 0x4000, policy: "offered", note: "old name of PROTOCOL_41, without effect" },
  SECURE_CONNECTION: { bit: 0x8000, policy: "offered", note: "the auth response has a length byte" },
  MULTI_STATEMENTS: { bit: 0x10000, policy: "pool key", note: "several statements in one COM_QUERY" },
  MULTI_RESULTS: { bit: 0x20000, policy: "pool key", note: "several results of one COM_QUERY" },
  PS_MULTI_RESULTS: { bit: 0x40000, policy: "pool key", note: "several results of one COM_STMT_EXECUTE" },
  PLUGIN_AUTH: { bit: 0x80000, policy: "offered", note: "the login names its plugin" },
  CONNECT_ATTRS: { bit: 0x100000, policy: "offered", note: "the login has attributes" },
  PLUGIN_AUTH_LENENC: { bit: 0x200000, policy: "offered", note: "the auth response has a lenenc length" },
  CAN_HANDLE_EXPIRED_PASSWORDS: {
    bit: 0x400000,
    policy: "offered",
    note: "accepted and ignored: no account of the gateway has an expired state",
  },
  SESSION_TRACK: { bit: 0x800000, policy: "pool key", note: "OK packets carry session state" },
  DEPRECATE_EOF: { bit: 0x1000000, policy: "pool key", note: "results end with an OK of header fe" },
  OPTIONAL_RESULTSET_METADATA: {
    bit: 0x2000000,
    policy: "not offered",
    note: "one more byte in result headers",
  },
  ZSTD_COMPRESSION_ALGORITHM: { bit: 0x4000000, policy: "not offered", note: "as COMPRESS" },
  QUERY_ATTRIBUTES: {
    bit: 0x8000000,
    policy: "not offered",
    note: "parameters before the text of COM_QUERY",
  },
  MULTI_FACTOR_AUTHENTICATION: { bit: 0x10000000, policy: "not offered", note: "AuthNextFactor packets" },
  CAPABILITY_EXTENSION: { bit: 0x20000000, policy: "not offered", note: "reserved for more bits" },
  SSL_VERIFY_SERVER_CERT: {
    bit: 0x40000000,
    policy: "not offered",
    note: "concerns the client's library only",
  },
  REMEMBER_OPTIONS: { bit: 0x80000000, policy: "not offered", note: "concerns the client's library only" },
} as const satisfies Record<string, CapabilityRow>;

/** The name of a bit. */
export type CapabilityName = keyof typeof capabilityTable;

export const CLIENT_LONG_PASSWORD: Capabilities = capabilityTable.LONG_PASSWORD.bit;
export const CLIENT_FOUND_ROWS: Capabilities = capabilityTable.FOUND_ROWS.bit;
export const CLIENT_LONG_FLAG: Capabilities = capabilityTable.LONG_FLAG.bit;
export const CLIENT_COMPRESS: Capabilities = capabilityTable.COMPRESS.bit;
export const CLIENT_CONNECT_WITH_DB: Capabilities = capabilityTable.CONNECT_WITH_DB.bit;
export const CLIENT_ODBC: Capabilities = capabilityTable.ODBC.bit;
export const CLIENT_LOCAL_FILES: Capabilities = capabilityTable.LOCAL_FILES.bit;
export const CLIENT_IGNORE_SPACE: Capabilities = capabilityTable.IGNORE_SPACE.bit;
export const CLIENT_PROTOCOL_41: Capabilities = capabilityTable.PROTOCOL_41.bit;
export const CLIENT_INTERACTIVE: Capabilities = capabilityTable.INTERACTIVE.bit;
export const CLIENT_SSL: Capabilities = capabilityTable.SSL.bit;
export const CLIENT_TRANSACTIONS: Capabilities = capabilityTable.TRANSACTIONS.bit;
export const CLIENT_SECURE_CONNECTION: Capabilities = capabilityTable.SECURE_CONNECTION.bit;
export const CLIENT_MULTI_STATEMENTS: Capabilities = capabilityTable.MULTI_STATEMENTS.bit;
export const CLIENT_MULTI_RESULTS: Capabilities = capabilityTable.MULTI_RESULTS.bit;
export const CLIENT_PS_MULTI_RESULTS: Capabilities = capabilityTable.PS_MULTI_RESULTS.bit;
export const CLIENT_PLUGIN_AUTH: Capabilities = capabilityTable.PLUGIN_AUTH.bit;
export const CLIENT_CONNECT_ATTRS: Capabilities = capabilityTable.CONNECT_ATTRS.bit;
export const CLIENT_PLUGIN_AUTH_LENENC: Capabilities = capabilityTable.PLUGIN_AUTH_LENENC.bit;
export const CLIENT_SESSION_TRACK: Capabilities = capabilityTable.SESSION_TRACK.bit;
export const CLIENT_DEPRECATE_EOF: Capabilities = capabilityTable.DEPRECATE_EOF.bit;

function bitsWith(policy: CapabilityPolicy): Capabilities {
  let bits = 0;
  for (const row of Object.values(capabilityTable)) if (row.policy === policy) bits |= row.bit;
  return bits >>> 0;
}

const offeredCapabilities = bitsWith("offered");
const mirroredCapabilities = bitsWith("mirrored");

/**
 * The bits that change bytes or meaning of commands and replies: equal on both sides of the gateway, and part of the
 * key of backend pools.
 */
export const bytesChangingCapabilities: Capabilities = bitsWith("pool key");

/** Whether `capabilities` has every bit of `flags`. */
export function has(capabilities: Capabilities, flags: Capabilities): boolean {
  return (capabilities & flags) >>> 0 === flags >>> 0;
}

/** The part of `capabilities` by which backend connections are kept apart. */
export function poolKeyOf(capabilities: Capabilities): Capabilities {
  return (capabilities & bytesChangingCapabilities) >>> 0;
}

/**
 * What the greeting announces in front of backends that have `backendCapabilities` (the intersection, where there are
 * several). `localFiles`: whether LOCAL_FILES may be among it. SSL is added by who knows whether there is a certificate.
 */
export function announcedCapabilities(backendCapabilities: Capabilities, localFiles: boolean): Capabilities {
  const fromBackend = (bytesChangingCapabilities | mirroredCapabilities) & backendCapabilities;
  const announced = offeredCapabilities | fromBackend;
  return (localFiles ? announced : announced & ~CLIENT_LOCAL_FILES) >>> 0;
}

/** What every login to a backend has, beside the client's own {@link bytesChangingCapabilities}. */
const loginLayoutCapabilities: Capabilities =
  CLIENT_LONG_FLAG |
  CLIENT_PROTOCOL_41 |
  CLIENT_TRANSACTIONS |
  CLIENT_SECURE_CONNECTION |
  CLIENT_PLUGIN_AUTH |
  CLIENT_PLUGIN_AUTH_LENENC |
  CLIENT_CONNECT_ATTRS;

/**
 * What a login to a backend asks for, so that forwarding is byte for byte: the client's byte-changing set and the layout
 * bits, as far as the server has them. CONNECT_WITH_DB and SSL are added by who needs them.
 */
export function backendLoginCapabilities(
  clientCapabilities: Capabilities,
  serverCapabilities: Capabilities,
): Capabilities {
  const wanted = poolKeyOf(clientCapabilities) | loginLayoutCapabilities | mirroredCapabilities;
  return (wanted & serverCapabilities) >>> 0;
}
