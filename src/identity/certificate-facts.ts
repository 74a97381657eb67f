// What a client certificate says about its holder, read from its DER (RFC 5280), not from a text about it: names in a
// text can hide separators. It proves nothing: chain, validity and CRL are judged by TLS.

import { type DerElement, DerError, readDer, readOnly } from "./der.ts";
import { spiffeIdFault } from "./spiffe-id.ts";

/** What Gatehouse asks of a leaf certificate. */
export interface CertificateFacts {
  /** The only URI among the subject's alternative names, if it is a SPIFFE id. */
  readonly spiffeId: string | null;
  /** The subject's only common name; null when there is none, several, or one with control characters. */
  readonly commonName: string | null;
  /** DNS names among the alternative names, in order. */
  readonly dnsNames: readonly string[];
  /** Whether it may sign certificates. */
  readonly isAuthority: boolean;
  /** Whether its extended key usage, if it has one, names client authentication. */
  readonly allowsClientAuth: boolean;
}

const oid = {
  commonName: "550403",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  keyUsage: "551d0f",
  extendedKeyUsage: "551d25",
  clientAuth: "2b06010505070302",
} as const;

const tagOf = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  uri: 0x86,
} as const;

/** Longest certificate that is read, in bytes. */
const certificateBytesMax = 64 * 1024;

/** Reads the DER of a certificate; null when it is none. Never throws. */
export function readCertificateFacts(der: Uint8Array): CertificateFacts | null {
  if (der.length > certificateBytesMax) return null;
  try {
    const [signed] = readDer(readOnly(der, tagOf.sequence));
    if (signed?.tag !== tagOf.sequence) return null;
    const fields = readDer(signed.content);
    // version?, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, ..., extensions?
    const subject = fields[fields[0]?.tag === tagOf.version ? 5 : 4];
    if (subject?.tag !== tagOf.sequence) return null;
    const extensions = readExtensions(fields);
    const names = readAlternativeNames(extensions.get(oid.subjectAltName));
    return {
      spiffeId: names.uris.length === 1 ? spiffeIdOf(names.uris[0]) : null,
      commonName: readCommonName(subject.content),
      dnsNames: names.dnsNames,
      isAuthority:
        isCertificateAuthority(extensions.get(oid.basicConstraints)) ||
        maySignCertificates(extensions.get(oid.keyUsage)),
      allowsClientAuth: isForClients(extensions.get(oid.extendedKeyUsage)),
    };
  } catch (error) {
    if (error instanceof DerError) return null;
    throw error;
  }
}

/** The extensions' values by object identifier in hexadecimal digits. */
function readExtensions(fields: readonly DerElement[]): Map<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  const block = fields.find((field) => field.tag === tagOf.extensions);
  if (block === undefined) return extensions;
  for (const extension of readDer(readOnly(block.content, tagOf.sequence))) {
    // extnID, critical?, extnValue
    const parts = readDer(extension.content);
    const id = parts[0];
    const value = parts[parts.length - 1];
    if (id?.tag !== tagOf.oid || value?.tag !== tagOf.octetString) throw new DerError("a bad extension");
    const key = Buffer.from(id.content).toString("hex");
    // RFC 5280 4.2: at most one of each; which of two would hold?
    if (extensions.has(key)) throw new DerError("an extension that occurs twice");
    extensions.set(key, value.content);
  }
  return extensions;
}

function readAlternativeNames(value: Uint8Array | undefined): {
  readonly uris: readonly Uint8Array[];
  readonly dnsNames: readonly string[];
} {
  if (value === undefined) return { uris: [], dnsNames: [] };
  const names = readDer(readOnly(value, tagOf.sequence));
  return {
    uris: names.filter((name) => name.tag === tagOf.uri).map((name) => name.content),
    dnsNames: names.flatMap((name) => {
      const text = name.tag === tagOf.dnsName ? plainText(name.content, "ascii") : null;
      return text === null ? [] : [text];
    }),
  };
}

function spiffeIdOf(uri: Uint8Array | undefined): string | null {
  const text = uri === undefined ? null : plainText(uri, "ascii");
  return text !== null && spiffeIdFault(text) === null ? text : null;
}

function readCommonName(subject: Uint8Array): string | null {
  const found: (string | null)[] = [];
  for (const set of readDer(subject)) {
    for (const attribute of readDer(set.content)) {
      const [type, value] = readDer(attribute.content);
      if (type === undefined || value === undefined) throw new DerError("a bad attribute of the subject");
      if (Buffer.from(type.content).toString("hex") !== oid.commonName) continue;
      const isUtf8 = value.tag === tagOf.utf8String;
      const isAscii = value.tag === tagOf.printableString || value.tag === tagOf.ia5String;
      found.push(isUtf8 || isAscii ? plainText(value.content, isUtf8 ? "utf8" : "ascii") : null);
    }
  }
  return found.length === 1 ? (found[0] ?? null) : null;
}

/** The text of bytes; null when they are not such text, empty, or hold control characters. */
function plainText(bytes: Uint8Array, encoding: "ascii" | "utf8"): string | null {
  if (bytes.length === 0 || (encoding === "ascii" && bytes.some((byte) => byte > 0x7f))) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return /\p{Cc}/u.test(text) ? null : text;
  } catch {
    return null;
  }
}

function isCertificateAuthority(value: Uint8Array | undefined): boolean {
  if (value === undefined) return false;
  const [first] = readDer(readOnly(value, tagOf.sequence));
  return first?.tag === tagOf.boolean && first.content[0] !== 0;
}

/** keyCertSign is bit 5, counted from the highest; the first byte tells the unused bits. */
function maySignCertificates(value: Uint8Array | undefined): boolean {
  if (value === undefined) return false;
  const bits = readOnly(value, tagOf.bitString);
  return ((bits[1] ?? 0) & 0x04) !== 0;
}

function isForClients(value: Uint8Array | undefined): boolean {
  if (value === undefined) return true;
  return readDer(readOnly(value, tagOf.sequence)).some(
    (usage) => Buffer.from(usage.content).toString("hex") === oid.clientAuth,
  );
}
