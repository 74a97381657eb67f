// Limits of the wire layer: every one has a unit and a consequence. Limits that a flag sets (max_allowed_packet, the
// statement buffer) are parameters of the functions that keep them, not constants here.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html

/** Bytes of a frame's header: u24 length, u8 sequence number. */
export const FRAME_HEADER_BYTES = 4;

/** Most payload bytes of one frame, as a u24 holds them. A frame this long is continued by the next one. */
export const FRAME_PAYLOAD_BYTES_MAX = 0xffffff;

/**
 * Most payload bytes of a packet of a client that has not logged in yet: 64 KiB of connection attributes, names, and an
 * answer of an authentication plugin. Beyond it the login ends with 1043.
 */
export const LOGIN_PAYLOAD_BYTES_MAX = 96 * 1024;

/** Most payload bytes of a server's packet during our own login (greeting, RSA key). Beyond it the login fails. */
export const BACKEND_LOGIN_PAYLOAD_BYTES_MAX = 96 * 1024;

/** Most bytes of all connection attributes together, as MySQL has it. Beyond it the login ends with 1043. */
export const CONNECT_ATTRIBUTES_BYTES_MAX = 64 * 1024;

/** Most connection attributes that are kept; a client that sends more keeps its login and loses the rest. */
export const CONNECT_ATTRIBUTES_MAX = 256;

/** Bytes of a scramble without its closing NUL. */
export const SCRAMBLE_BYTES = 20;

/**
 * Most payload bytes of a reply's packet that is read whole before it is forwarded (ERR, PREPARE_OK, the request for a
 * file, OK with session state). Beyond it the reply is broken and its connection is closed.
 */
export const INSPECTED_PAYLOAD_BYTES_MAX = 1024 * 1024;

/**
 * Most columns of one result: what three bytes can count. Tables have 4096 at most
 * (https://dev.mysql.com/doc/refman/8.4/en/column-count-limit.html), select lists as many as the text has room for (seen in
 * MySQL 9.7 and MariaDB 10.11). A count beyond means that packets are out of step: the reply is broken, its connection is closed.
 */
export const RESULT_COLUMNS_MAX = 0xffffff;
