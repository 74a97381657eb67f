// What a certificate says about its holder, read from its bytes (RFC 5280). Why not Node's own text: it joins the names
// by ", " and quotes some of them, so that one name can look like two. Judges nothing and trusts nothing: whether the
// certificate is genuine is for TLS to say, what follows from it for client-certificate.ts.

import { contentOf, DerError, derTag, readDerElement, readDerElements } from "./der.ts";

/** The parts of a certificate that identify its holder, and what it may be used for. */
export interface CertificateFacts {
  /**
   * The CN values of the subject in their order; null in the place of one that is not clean text (no UTF8String,
   * PrintableString or IA5String, or with bytes that these do not allow).
   */
  readonly commonNames: readonly (string | null)[];
  /** The URI names of the subject alternative name, byte by byte (latin1): they may hold anything, NUL too. */
  readonly uriNames: readonly string[];
  /** Its DNS names, in the same spelling. */
  readonly dnsNames: readonly string[];
  /** BasicConstraints says CA. */
  readonly isAuthority: boolean;
  /** KeyUsage allows to sign certificates or CRLs. */
  readonly maySignCertificates: boolean;
  /** ExtendedKeyUsage names clientAuth, or there is none. */
  readonly maySignIn: boolean;
}

/** DER of the object identifiers, without tag and length. */
const oid = {
  commonName: "550403",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  extendedKeyUsage: "551d25",
  clientAuth: "2b06010505070302",
} as const;

const implicitTag = { dnsName: 0x82, uri: 0x86 } as const;
const explicitTag = { version: 0xa0, extensions: 0xa3 } as const;

/** @throws DerError for bytes that are no certificate, and for one that has an extension twice. */
export function readCertificate(der: Uint8Array): CertificateFacts {
  // Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }
  const [tbs] = readDerElements(readDerElement(der, derTag.sequence));
  // TBSCertificate ::= SEQUENCE { [0] version?, serialNumber, signature, issuer, validity, subject, spki, ... }
  const fields = readDerElements(contentOf(tbs, derTag.sequence));
  if (fields[0]?.tag === explicitTag.version) fields.shift();
  const extensions = readExtensions(fields.find((field) => field.tag === explicitTag.extensions)?.content);
  const names = readNames(extensions.get(oid.subjectAltName));
  const usages = extensions.get(oid.extendedKeyUsage);
  return {
    commonNames: readCommonNames(contentOf(fields[4], derTag.sequence)),
    uriNames: names.filter(({ tag }) => tag === implicitTag.uri).map(({ text }) => text),
    dnsNames: names.filter(({ tag }) => tag === implicitTag.dnsName).map(({ text }) => text),
    isAuthority: readIsAuthority(extensions.get(oid.basicConstraints)),
    maySignCertificates: readMaySign(extensions.get(oid.keyUsage)),
    maySignIn: usages === undefined || listsClientAuth(usages),
  };
}

/** Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING } */
function readExtensions(bytes: Uint8Array | undefined): Map<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  if (bytes === undefined) return extensions;
  for (const element of readDerElements(readDerElement(bytes, derTag.sequence))) {
    const parts = readDerElements(contentOf(element, derTag.sequence));
    const id = hex(contentOf(parts[0], derTag.objectIdentifier));
    const value = contentOf(parts[parts.length - 1], derTag.octetString);
    if (extensions.has(id)) throw new DerError("Cannot read a certificate that has an extension twice");
    extensions.set(id, value);
  }
  return extensions;
}

function readNames(value: Uint8Array | undefined): { tag: number; text: string }[] {
  if (value === undefined) return [];
  return readDerElements(readDerElement(value, derTag.sequence)).map(({ tag, content }) => ({
    tag,
    text: Buffer.from(content).toString("latin1"),
  }));
}

/** Name ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value } */
function readCommonNames(subject: Uint8Array): (string | null)[] {
  const names: (string | null)[] = [];
  for (const relative of readDerElements(subject)) {
    for (const attribute of readDerElements(contentOf(relative, derTag.set))) {
      const [type, value] = readDerElements(contentOf(attribute, derTag.sequence));
      if (hex(contentOf(type, derTag.objectIdentifier)) !== oid.commonName) continue;
      names.push(value === undefined ? null : readText(value.tag, value.content));
    }
  }
  return names;
}

function readText(tag: number, content: Uint8Array): string | null {
  const utf8String = 0x0c;
  const asciiStrings = [0x13, 0x16]; // PrintableString, IA5String
  if (tag !== utf8String && !asciiStrings.includes(tag)) return null;
  if (tag !== utf8String && content.some((byte) => byte > 0x7f)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    return null;
  }
}

/** BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
function readIsAuthority(value: Uint8Array | undefined): boolean {
  if (value === undefined) return false;
  const [first] = readDerElements(readDerElement(value, derTag.sequence));
  return first?.tag === derTag.boolean && first.content[0] !== 0;
}

/** KeyUsage ::= BIT STRING: keyCertSign is bit 5, cRLSign bit 6, counted from the highest of the first byte. */
function readMaySign(value: Uint8Array | undefined): boolean {
  if (value === undefined) return false;
  const bits = readDerElement(value, derTag.bitString);
  return ((bits[1] ?? 0) & 0x06) !== 0;
}

function listsClientAuth(value: Uint8Array): boolean {
  return readDerElements(readDerElement(value, derTag.sequence)).some(
    (usage) => usage.tag === derTag.objectIdentifier && hex(usage.content) === oid.clientAuth,
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
