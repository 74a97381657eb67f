// Where a client comes from and what its transport proves. Pure data; the listener and the TLS upgrade fill it in.

/** What TLS told about a connection; null on plain transports. */
export interface TlsFacts {
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  readonly cipher: string;
  /** The client's certificate, verified or not; null when none was presented. */
  readonly certificate: PeerCertificate | null;
}

/** A presented client certificate, with the verdict of chain, validity and CRL. */
export interface PeerCertificate {
  /** null: chain, validity and CRL are good. Otherwise a reason code such as `CERT_HAS_EXPIRED`. */
  readonly verifyError: string | null;
  /** The leaf's DER bytes. */
  readonly raw: Uint8Array;
  readonly serialNumber: string;
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** The client's end of a connection. Behind a trusted PROXY header, the address that the header told. */
export interface Peer {
  readonly transport: "tcp" | "unix";
  /** The IP address without zone, IPv4-mapped IPv6 as IPv4; empty for a unix socket. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** What error texts and USER() show: the address, or `localhost` for a unix socket. No reverse DNS. */
  readonly host: string;
  readonly tls: TlsFacts | null;
}

/** Whether what is sent over this transport cannot be read on the way: TLS or a unix socket. */
export function hasSecureTransport(peer: Peer): boolean {
  return peer.transport === "unix" || peer.tls !== null;
}
