// TLS toward clients: one tls.Server per generation of the certificate files, which never listens; connections that
// began in plain are handed to it, because only sockets that a tls.Server made tell the truth about client
// certificates. Knows nothing of MySQL.

import { X509Certificate } from "node:crypto";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { DuplexChannel } from "../base/duplex-channel.ts";
import type { PeerCertificate, TlsFacts } from "../identity/peer.ts";
import type { TlsUpgrade } from "../session/client-transport.ts";

/** SSL_OP_NO_TICKET: no resumption, so every login does a full handshake with a full check of its certificate. */
const SSL_OP_NO_TICKET = 0x4000;

/** What a TLS context is made of; PEM. */
export interface TlsMaterial {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

interface Pending {
  readonly resolve: (upgrade: TlsUpgrade) => void;
  readonly reject: (error: Error) => void;
}

/** Accepts TLS on connections that began in plain. */
export class TlsAcceptor {
  readonly #server: tls.Server;
  readonly #pending = new Map<Duplex, Pending>();
  /** End of the certificate's validity, milliseconds since the epoch. */
  readonly notAfterMs: number;

  /** @throws Error when certificate and key do not fit together or cannot be read. */
  constructor(material: TlsMaterial) {
    const cert = Buffer.from(material.cert);
    this.notAfterMs = Date.parse(new X509Certificate(cert).validTo);
    this.#server = new tls.Server({
      cert,
      key: Buffer.from(material.key),
      minVersion: material.minVersion,
      secureOptions: SSL_OP_NO_TICKET,
      // The login's own deadline ends a handshake earlier; this one only bounds what the library keeps.
      handshakeTimeout: 120_000,
    });
    this.#server.on("secureConnection", (socket) => {
      this.#take(socket)?.resolve({ channel: new DuplexChannel(socket), tls: factsOf(socket) });
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
