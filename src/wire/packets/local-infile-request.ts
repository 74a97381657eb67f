// The server's request for a file of the client: `fb`, then the name.

/** What the server asks for. */
export interface LocalInfileRequest {
  readonly filename: string;
}

/** Decodes `fb filename`. */
export function decodeLocalInfileRequest(payload: Uint8Array): LocalInfileRequest {
  return { filename: Buffer.from(payload.subarray(1)).toString("utf8") };
}
