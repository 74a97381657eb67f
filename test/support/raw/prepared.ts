// Prepared statements of raw clients: the commands' bytes.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_stmt_execute.html

/** One bound parameter: the type code (| 0x8000 for unsigned) and its value's bytes; null bytes: NULL. */
export interface BoundParameter {
  readonly type: number;
  readonly bytes: Buffer | null;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};

function lenencBytes(bytes: Buffer): Buffer {
  if (bytes.length < 0xfb) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const head = Buffer.alloc(bytes.length < 0x10000 ? 3 : 4);
  head[0] = bytes.length < 0x10000 ? 0xfc : 0xfd;
  head.writeUIntLE(bytes.length, 1, head.length - 1);
  return Buffer.concat([head, bytes]);
}

/** Makes parameters of the usual types. */
export const parameter = {
  longlong(value: bigint | number): BoundParameter {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return { type: 8, bytes };
  },
  long(value: number): BoundParameter {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return { type: 3, bytes };
  },
  double(value: number): BoundParameter {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return { type: 5, bytes };
  },
  text: (value: string): BoundParameter => ({ type: 253, bytes: lenencBytes(Buffer.from(value)) }),
  blob: (value: Buffer): BoundParameter => ({ type: 252, bytes: lenencBytes(value) }),
  /** A value that SEND_LONG_DATA has sent. */
  longData: (): BoundParameter => ({ type: 252, bytes: Buffer.alloc(0) }),
  nothing: (): BoundParameter => ({ type: 6, bytes: null }),
  date(year: number, month: number, day: number): BoundParameter {
    return { type: 10, bytes: Buffer.from([4, year & 0xff, year >> 8, month, day]) };
  },
};

/** COM_STMT_PREPARE. */
export const encodePrepare = (sql: string): Buffer => Buffer.concat([Buffer.from([0x16]), Buffer.from(sql)]);

/** COM_STMT_EXECUTE; `cursor` 1 asks for a read-only cursor; without `sendTypes` the former types hold. */
export function encodeExecute(
  id: number,
  parameters: readonly BoundParameter[],
  options: { cursor?: number; sendTypes?: boolean } = {},
): Buffer {
  const head = Buffer.concat([Buffer.from([0x17]), u32(id), Buffer.from([options.cursor ?? 0]), u32(1)]);
  if (parameters.length === 0) return head;
  const nulls = Buffer.alloc((parameters.length + 7) >> 3);
  for (const [index, { bytes }] of parameters.entries()) {
    if (bytes === null) nulls[index >> 3] = (nulls[index >> 3] ?? 0) | (1 << (index & 7));
  }
  const types = Buffer.concat(parameters.map(({ type }) => Buffer.from([type & 0xff, type >> 8])));
  const values = Buffer.concat(parameters.map(({ bytes }) => bytes ?? Buffer.alloc(0)));
  const sendTypes = options.sendTypes ?? true;
  return Buffer.concat([
    head,
    nulls,
    Buffer.from([sendTypes ? 1 : 0]),
    sendTypes ? types : Buffer.alloc(0),
    values,
  ]);
}

/** COM_STMT_SEND_LONG_DATA: no answer. */
export function encodeLongData(id: number, index: number, data: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x18]), u32(id), Buffer.from([index & 0xff, index >> 8]), data]);
}

/** COM_STMT_CLOSE: no answer. */
export const encodeClose = (id: number): Buffer => Buffer.concat([Buffer.from([0x19]), u32(id)]);

/** COM_STMT_RESET. */
export const encodeReset = (id: number): Buffer => Buffer.concat([Buffer.from([0x1a]), u32(id)]);

/** COM_STMT_FETCH. */
export const encodeFetch = (id: number, rows: number): Buffer =>
  Buffer.concat([Buffer.from([0x1c]), u32(id), u32(rows)]);
