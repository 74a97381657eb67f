// The request for a file: the server wants the client to send the file that LOAD DATA LOCAL names.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_local_infile_request.html

import { Reader } from "../reader.ts";
import { Writer } from "../writer.ts";

const HEADER = 0xfb;

/** Which file. */
export interface LocalInfileRequest {
  /** As the statement named it, read as UTF-8. */
  readonly filename: string;
}

/** Encodes `fb filename`. */
export function encodeLocalInfileRequest(packet: LocalInfileRequest): Buffer {
  const filename = Buffer.from(packet.filename, "utf8");
  return new Writer(1 + filename.length).u8(HEADER).bytes(filename).finish();
}

/** @throws WireError when the header byte is another. */
export function decodeLocalInfileRequest(payload: Uint8Array): LocalInfileRequest {
  const reader = new Reader(payload);
  reader.header(HEADER, "header");
  return { filename: reader.rest().toString("utf8") };
}
