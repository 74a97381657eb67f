// What a certificate revocation list says about itself (RFC 5280, section 5), and whether a CA signed it. TLS alone uses
// its content: this is for telling at load, and not at the first login, that it can never work.

import { constants, type KeyObject, verify } from "node:crypto";
import {
  contentOf,
  type DerElement,
  DerError,
  derTag,
  readDerElement,
  readDerElements,
} from "../identity/der.ts";

/** The head of a full list. */
export interface RevocationList {
  /** Milliseconds since the epoch. */
  readonly thisUpdateMs: number;
  /** null: it does not say; TLS then takes it for ever. */
  readonly nextUpdateMs: number | null;
  /** Whether `key` signed it; false also for algorithms that cannot be checked here. */
  isSignedBy(key: KeyObject): boolean;
}

const tag = { utcTime: 0x17, generalizedTime: 0x18, extensions: 0xa0 } as const;
const deltaIndicator = "551d1b";

type Signature = { readonly hash: string | null; readonly isPss?: true };
/** By the hexadecimal object identifier; SHA-1 is not among them. */
const signatures: Readonly<Record<string, Signature>> = {
  "2a864886f70d01010b": { hash: "sha256" },
  "2a864886f70d01010c": { hash: "sha384" },
  "2a864886f70d01010d": { hash: "sha512" },
  "2a8648ce3d040302": { hash: "sha256" },
  "2a8648ce3d040303": { hash: "sha384" },
  "2a8648ce3d040304": { hash: "sha512" },
  "2a864886f70d01010a": { hash: "sha256", isPss: true },
  "2b6570": { hash: null },
  "2b6571": { hash: null },
};

/** Reads the head of a list; a string says why it is none that can be used, as the predicate of a sentence. */
export function readRevocationList(der: Uint8Array): RevocationList | string {
  try {
    return read(der);
  } catch (error) {
    if (error instanceof DerError) return "cannot be read as a revocation list";
    throw error;
  }
}

function read(der: Uint8Array): RevocationList | string {
  // CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue BIT STRING }
  const whole = readDerElement(der, derTag.sequence);
  const [tbs, algorithm, signatureBits] = readDerElements(whole);
  const head = contentOf(tbs, derTag.sequence);
  const signed = whole.subarray(0, head.byteOffset - whole.byteOffset + head.length);
  const [oid] = readDerElements(contentOf(algorithm, derTag.sequence));
  const signature = signatures[Buffer.from(contentOf(oid, derTag.objectIdentifier)).toString("hex")];
  const value = contentOf(signatureBits, derTag.bitString).subarray(1);
  // TBSCertList ::= SEQUENCE { version?, signature, issuer, thisUpdate, nextUpdate?, revokedCertificates?, [0]? }
  const fields = readDerElements(head);
  const times = fields.filter((field) => field.tag === tag.utcTime || field.tag === tag.generalizedTime);
  const [thisUpdateMs, nextUpdateMs = null] = times.map(readTime);
  if (thisUpdateMs === undefined) return "does not say when it was made";
  const fault = extensionFault(fields.find((field) => field.tag === tag.extensions)?.content);
  if (fault !== null) return fault;
  if (signature === undefined) return "is signed by a method that is not supported: use SHA-256 or stronger";
  return {
    thisUpdateMs,
    nextUpdateMs,
    isSignedBy: (key) => isSigned(signed, value, signature, key),
  };
}

/** Only full lists of one CA work in TLS: whatever must be understood (`critical`) says that it is another kind. */
function extensionFault(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined) return null;
  for (const element of readDerElements(readDerElement(bytes, derTag.sequence))) {
    const [id, critical] = readDerElements(contentOf(element, derTag.sequence));
    if (Buffer.from(contentOf(id, derTag.objectIdentifier)).toString("hex") === deltaIndicator) {
      return "must be a full list: it holds changes only (delta)";
    }
    if (critical?.tag === derTag.boolean && critical.content[0] !== 0) {
      return "must be a full list of one CA: it has a critical extension (indirect or partitioned list)";
    }
  }
  return null;
}

function readTime(element: DerElement): number {
  const text = Buffer.from(element.content).toString("latin1");
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  const [, year = "", month, day, hour, minute, second] = match ?? [];
  if (match === null || (year.length === 4) !== (element.tag === tag.generalizedTime)) {
    throw new DerError("Cannot read a time");
  }
  const century = year.length === 4 ? "" : Number(year) >= 50 ? "19" : "20";
  return Date.parse(`${century}${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function isSigned(data: Uint8Array, value: Uint8Array, { hash, isPss }: Signature, key: KeyObject): boolean {
  try {
    if (isPss !== true) return verify(hash, data, key, value);
    const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
    return ["sha256", "sha384", "sha512"].some((name) => verify(name, data, pss, value));
  } catch {
    // A key of another kind.
    return false;
  }
}
