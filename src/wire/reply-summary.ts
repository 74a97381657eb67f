// What is read of a reply while it passes: the few numbers of its OK, EOF and ERR packets. One object per session,
// overwritten by each reply. The functions read inside a chunk without making views of it.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html

/** Facts about the latest reply; complete when the reply is. */
export interface ReplySummary {
  /** Of the last OK or EOF, kept from reply to reply: an ERR tells none. */
  statusFlags: number;
  /** Of the last OK, EOF or PREPARE_OK of this reply. */
  warnings: number;
  /** Whether any of them told a warning. */
  hadWarnings: boolean;
  /** Whether an OK of this reply told a last insert id other than 0. */
  hadInsertId: boolean;
  /** Of the last result's OK, exact up to 2^53; -1: it had rows, or no OK told it. */
  affectedRows: number;
  /** Number of the ERR that ended the reply; 0: none did. */
  errorCode: number;
  /** Results before the ERR, if any: OKs and result sets. */
  resultCount: number;
  /** Result sets among them. */
  resultSetCount: number;
  /** Rows of the last result set among them. */
  rowCount: number;
  /** Of PREPARE_OK; of the last PREPARE, when this reply had none. */
  statementId: number;
  columnCount: number;
  parameterCount: number;
}

/** An empty summary. */
export function newReplySummary(): ReplySummary {
  return {
    statusFlags: 0,
    warnings: 0,
    hadWarnings: false,
    hadInsertId: false,
    affectedRows: -1,
    errorCode: 0,
    resultCount: 0,
    resultSetCount: 0,
    rowCount: 0,
    statementId: 0,
    columnCount: 0,
    parameterCount: 0,
  };
}

/** Forgets what belongs to one reply. */
export function resetReplySummary(summary: ReplySummary): void {
  summary.warnings = 0;
  summary.hadWarnings = false;
  summary.hadInsertId = false;
  summary.affectedRows = -1;
  summary.errorCode = 0;
  summary.resultCount = 0;
  summary.resultSetCount = 0;
  summary.rowCount = 0;
}

/** Reads the five bytes of an EOF at `at`. */
export function readEof(bytes: Uint8Array, at: number, summary: ReplySummary): void {
  summary.warnings = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8);
  if (summary.warnings !== 0) summary.hadWarnings = true;
  summary.statusFlags = (bytes[at + 3] as number) | ((bytes[at + 4] as number) << 8);
}

/**
 * Reads the beginning of an OK at `at`, of which `length` bytes may be read. False: it is no OK, and the summary is as it
 * was.
 */
export function readOk(bytes: Uint8Array, at: number, length: number, summary: ReplySummary): boolean {
  const insertIdAt = at + 1 + lenencWidth(bytes[at + 1] as number);
  const end = at + length;
  if (insertIdAt >= end) return false;
  const statusAt = insertIdAt + lenencWidth(bytes[insertIdAt] as number);
  if (statusAt + 4 > end) return false;
  summary.affectedRows = lenencAt(bytes, at + 1);
  // Any spelling of 0 but the shortest is one that no server uses; it counts as an id, which costs a look-up at most.
  if (bytes[insertIdAt] !== 0) summary.hadInsertId = true;
  summary.statusFlags = (bytes[statusAt] as number) | ((bytes[statusAt + 1] as number) << 8);
  summary.warnings = (bytes[statusAt + 2] as number) | ((bytes[statusAt + 3] as number) << 8);
  if (summary.warnings !== 0) summary.hadWarnings = true;
  return true;
}

/** The number of columns in a packet of `length` bytes at `at`; -1: it is none. */
export function readColumnCount(bytes: Uint8Array, at: number, length: number): number {
  const first = bytes[at] as number;
  if (first >= 0xfe || lenencWidth(first) !== length) return -1;
  return lenencAt(bytes, at);
}

/** Bytes of a length-encoded integer that begins with `first`; the impossible fb and ff count as one. */
function lenencWidth(first: number): number {
  if (first < 0xfc || first === 0xff) return 1;
  return first === 0xfc ? 3 : first === 0xfd ? 4 : 9;
}

function lenencAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0xfc || first === 0xff) return first;
  const low = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8);
  if (first === 0xfc) return low;
  const middle = low + (bytes[at + 3] as number) * 0x10000;
  if (first === 0xfd) return middle;
  const high =
    (bytes[at + 5] as number) | ((bytes[at + 6] as number) << 8) | ((bytes[at + 7] as number) << 16);
  return (
    middle + (bytes[at + 4] as number) * 0x1000000 + high * 2 ** 32 + (bytes[at + 8] as number) * 2 ** 56
  );
}
