// Capability bits by name, for tests. https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html

/** Bits of the client capabilities that tests use. */
export const capability = {
  LONG_PASSWORD: 1,
  FOUND_ROWS: 2,
  LONG_FLAG: 4,
  CONNECT_WITH_DB: 8,
  COMPRESS: 0x20,
  LOCAL_FILES: 0x80,
  IGNORE_SPACE: 0x100,
  PROTOCOL_41: 0x200,
  INTERACTIVE: 0x400,
  SSL: 0x800,
  TRANSACTIONS: 0x2000,
  SECURE_CONNECTION: 0x8000,
  MULTI_STATEMENTS: 0x10000,
  MULTI_RESULTS: 0x20000,
  PS_MULTI_RESULTS: 0x40000,
  PLUGIN_AUTH: 0x80000,
  CONNECT_ATTRS: 0x100000,
  PLUGIN_AUTH_LENENC: 0x200000,
  SESSION_TRACK: 0x800000,
  DEPRECATE_EOF: 0x1000000,
  QUERY_ATTRIBUTES: 0x8000000,
} as const;

/** What a present-day client sends, without DEPRECATE_EOF, SESSION_TRACK, SSL and CONNECT_WITH_DB. */
export const usualCapabilities: number =
  capability.LONG_PASSWORD |
  capability.LONG_FLAG |
  capability.LOCAL_FILES |
  capability.PROTOCOL_41 |
  capability.TRANSACTIONS |
  capability.SECURE_CONNECTION |
  capability.MULTI_STATEMENTS |
  capability.MULTI_RESULTS |
  capability.PS_MULTI_RESULTS |
  capability.PLUGIN_AUTH |
  capability.PLUGIN_AUTH_LENENC |
  capability.CONNECT_ATTRS;
