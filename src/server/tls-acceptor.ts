// TLS toward clients: one tls.Server per generation of the certificate files, which never listens; connections that
// began in plain are handed to it, because only sockets that a tls.Server made tell the truth about client
// certificates. Knows nothing of MySQL.

import type { Duplex } from "node:stream";
import tls from "node:tls";
import { DuplexChannel } from "../base/duplex-channel.ts";
import type { PeerCertificate, TlsFacts } from "../identity/peer.ts";
import type { TlsUpgrade } from "../session/client-transport.ts";
import type { TlsMaterial } from "./tls-files.ts";

/**
 * SSL_OP_NO_TICKET: no resumption, so every login does a full handshake with a full check of its certificate.
 * SSL_OP_NO_RENEGOTIATION: one handshake per connection, so a client can neither cause more nor change its certificate.
 */
const SECURE_OPTIONS = 0x4000 | 0x4000_0000;

interface Pending {
  readonly resolve: (upgrade: TlsUpgrade) => void;
  readonly reject: (error: Error) => void;
}

/** Accepts TLS on connections that began in plain. */
export class TlsAcceptor {
  readonly #server: tls.Server;
  readonly #pending = new Map<Duplex, Pending>();

  /** @throws Error when OpenSSL cannot use the material. */
  constructor(material: TlsMaterial) {
    const { cert, key, minVersion, clientTrust } = material;
    // A bad certificate is refused by the login, in a packet that clients can read: never by TLS itself. Where no
    // certificate is asked for, one that a client sends all the same would be judged by the CAs of Node.
    const trust =
      clientTrust === null
        ? { requestCert: false }
        : {
            requestCert: true,
            rejectUnauthorized: false,
            ca: [...clientTrust.ca],
            ...(clientTrust.crl.length === 0 ? {} : { crl: [...clientTrust.crl] }),
          };
    this.#server = new tls.Server({
      cert,
      key,
      minVersion,
      ...trust,
      secureOptions: SECURE_OPTIONS,
      // The login's own deadline ends a handshake earlier; this one only bounds what the library keeps.
      handshakeTimeout: 120_000,
    });
    this.#server.on("secureConnection", (socket) => {
      const tls = factsOf(socket);
      const isHarmless = tls.certificate?.verifyError ? isLeftOverFromVerifying : undefined;
      this.#take(socket)?.resolve({ channel: new DuplexChannel(socket, isHarmless), tls });
    });
    this.#server.on("tlsClientError", (error, socket) => {
      socket.on("error", () => {});
      this.#take(socket)?.reject(error);
    });
  }

  /** Does the handshake on `stream`, to which unread bytes were put back. Rejects when it fails or the stream ends. */
  accept(stream: Duplex): Promise<TlsUpgrade> {
    return new Promise((resolve, reject) => {
      this.#pending.set(stream, { resolve, reject });
      stream.once("close", () => {
        const pending = this.#pending.get(stream);
        this.#pending.delete(stream);
        pending?.reject(new Error("the connection was closed during the TLS handshake"));
      });
      this.#server.emit("connection", stream);
    });
  }

  #take(socket: tls.TLSSocket): Pending | null {
    const stream = rawStreamOf(socket);
    const pending = stream === null ? undefined : this.#pending.get(stream);
    if (stream === null || pending === undefined) {
      socket.destroy();
      return null;
    }
    this.#pending.delete(stream);
    return pending;
  }
}

/**
 * The stream under a TLS socket. Node keeps it as `_parent` (a stream that is no net.Socket is wrapped once more, with
 * the stream itself as `stream`): undocumented, so a test runs it on every Node version.
 */
function rawStreamOf(socket: tls.TLSSocket): Duplex | null {
  const parent = (socket as tls.TLSSocket & { _parent?: Duplex & { stream?: Duplex } })._parent;
  return parent?.stream ?? parent ?? null;
}

/**
 * Where a signature was wrong, OpenSSL leaves an error of its verifying functions behind, which Node takes for one of the
 * next read and emits, without closing the socket. The login would end before its 1045 could be told. (When the client's
 * messages come in several pieces, the same error ends the handshake itself; nothing can be told then.)
 */
function isLeftOverFromVerifying(error: Error): boolean {
  const { library } = error as Error & { readonly library?: unknown };
  return typeof library === "string" && library !== "SSL routines";
}

function factsOf(socket: tls.TLSSocket): TlsFacts {
  return {
    version: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher().name,
    certificate: certificateOf(socket),
  };
}

function certificateOf(socket: tls.TLSSocket): PeerCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const error: unknown = socket.authorizationError;
  return {
    verifyError: socket.authorized
      ? null
      : error instanceof Error
        ? error.message
        : String(error ?? "not verified"),
    raw: certificate.raw,
    serialNumber: certificate.serialNumber,
    issuer: certificate.issuer,
    notAfterMs: Date.parse(certificate.validTo),
  };
}
