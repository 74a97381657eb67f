// TLS toward clients, on connections that began in plain: one context per generation of the certificate files. A bad client
// certificate never ends the handshake: the login is told of it, and refuses in a packet. Knows nothing of MySQL.

import type { Duplex } from "node:stream";
import tls from "node:tls";
import { DuplexChannel } from "../base/duplex-channel.ts";
import type { PeerCertificate, TlsFacts } from "../identity/peer.ts";
import type { TlsUpgrade } from "../session/client-transport.ts";
import type { TlsMaterial } from "./tls-files.ts";

/**
 * SSL_OP_NO_TICKET: no resumption, so every login does a full handshake with a full check of its certificate.
 * SSL_OP_NO_RENEGOTIATION: one handshake per connection, so a client can neither cause more nor change its certificate.
 * SSL_OP_CIPHER_SERVER_PREFERENCE: as a tls.Server has it.
 */
const SECURE_OPTIONS = 0x4000 | 0x4000_0000 | 0x0040_0000;

/** Accepts TLS on connections that began in plain. */
export class TlsAcceptor {
  readonly #context: tls.SecureContext;
  /** Where no certificate is asked for, one that a client sends all the same would be judged by the CAs of Node. */
  readonly #requestCert: boolean;

  /** @throws Error when OpenSSL cannot use the material. */
  constructor(material: TlsMaterial) {
    const { cert, key, minVersion, clientTrust } = material;
    const trust =
      clientTrust === null
        ? {}
        : {
            ca: [...clientTrust.ca],
            ...(clientTrust.crl.length === 0 ? {} : { crl: [...clientTrust.crl] }),
          };
    this.#requestCert = clientTrust !== null;
    this.#context = tls.createSecureContext({
      cert,
      key,
      minVersion,
      ...trust,
      secureOptions: SECURE_OPTIONS,
      sessionIdContext: "gatehouse",
    });
  }

  /** Does the handshake on `stream`, to which unread bytes were put back. Rejects when it fails or the stream ends. */
  accept(stream: Duplex): Promise<TlsUpgrade> {
    return new Promise((resolve, reject) => {
      const socket = new tls.TLSSocket(stream, {
        secureContext: this.#context,
        isServer: true,
        requestCert: this.#requestCert,
        rejectUnauthorized: false,
      });
      const handle = (socket as tls.TLSSocket & { _handle?: TlsHandle | null })._handle ?? null;
      const state: HandshakeState = { done: false, isGenuine: false };
      if (handle !== null) passOverLeftErrors(handle, state);
      const onClose = (): void => fail(new Error("the connection was closed during the TLS handshake"));
      const fail = (error: Error): void => {
        stream.off("close", onClose);
        reject(error);
      };
      stream.once("close", onClose);
      socket.once("close", onClose);
      // Until somebody else listens, and also when there are several.
      socket.on("error", fail);
      socket.once("secure", () => {
        stream.off("close", onClose);
        socket.off("close", onClose);
        socket.off("error", fail);
        try {
          const facts = factsOf(socket, this.#requestCert ? handle : null);
          state.done = true;
          state.isGenuine = facts.certificate?.verifyError === null;
          resolve({ channel: new DuplexChannel(socket), tls: facts });
        } catch (error) {
          // A certificate that Node cannot read.
          socket.on("error", () => {});
          socket.destroy();
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }
}

/** What of Node's own object is used. Undocumented, so tests run it on every Node version. */
interface TlsHandle {
  onerror?: (error: Error) => void;
  /** What OpenSSL thinks of the peer's certificate; nothing where it is genuine. */
  verifyError?: () => { readonly code?: string; readonly message?: string } | null | undefined;
}

interface HandshakeState {
  done: boolean;
  isGenuine: boolean;
}

/**
 * Where a signature was wrong, OpenSSL leaves an error of its verifying functions behind, which Node takes for one of the
 * read under way: it would end the handshake when the client's messages come in several pieces, or the login later, before
 * its 1045 can be told. Errors that OpenSSL means have one of its protocol among them.
 */
function passOverLeftErrors(handle: TlsHandle, state: HandshakeState): void {
  const { onerror } = handle;
  if (onerror === undefined) return;
  handle.onerror = (error) => {
    const { library } = error as Error & { readonly library?: unknown };
    const isLeft = typeof library === "string" && !error.message.includes("SSL routines");
    if (isLeft && !(state.done && state.isGenuine)) return;
    onerror.call(handle, error);
  };
}

function factsOf(socket: tls.TLSSocket, handle: TlsHandle | null): TlsFacts {
  return {
    version: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher().name,
    certificate: certificateOf(socket, handle),
  };
}

function certificateOf(socket: tls.TLSSocket, handle: TlsHandle | null): PeerCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  // In the trust file OpenSSL would take it for its own CA; what no CA has issued proves nothing.
  const isOwnIssuer = certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey);
  return {
    verifyError: verifyErrorOf(handle) ?? (isOwnIssuer ? "DEPTH_ZERO_SELF_SIGNED_CERT" : null),
    raw: certificate.raw,
    serialNumber: certificate.serialNumber,
    issuer: certificate.issuer,
    notAfterMs: Date.parse(certificate.validTo),
  };
}

/** As `authorizationError` of a tls.Server's socket, which others do not have. null: the certificate is genuine. */
function verifyErrorOf(handle: TlsHandle | null): string | null {
  if (typeof handle?.verifyError !== "function") return "not verified";
  const error = handle.verifyError();
  return error === null || error === undefined ? null : (error.code ?? error.message ?? "not verified");
}
