// Status flags of OK and EOF packets.
// https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html

export const STATUS_IN_TRANS = 0x1;
export const STATUS_AUTOCOMMIT = 0x2;
export const STATUS_MORE_RESULTS = 0x8;
export const STATUS_CURSOR_EXISTS = 0x40;
export const STATUS_PS_OUT_PARAMS = 0x1000;
export const STATUS_SESSION_STATE_CHANGED = 0x4000;
