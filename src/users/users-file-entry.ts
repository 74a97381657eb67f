// One entry of the users file: decodes its values and checks them against each other. Knows nothing of other entries.

import { createHash, hash } from "node:crypto";
import type { Steps } from "../base/steps.ts";
import {
  type Credential,
  type Decoded,
  decodeNativeHash,
  decodePassword,
  decodeSha2Hash,
  nativeDigestOf,
  sha2DigestOf,
} from "./credential.ts";
import { parseRfc3339 } from "./rfc3339-time.ts";
import { sha256, sha256Crypt } from "./sha256-crypt.ts";
import { anySourceHost, parseSourceHost, type SourceHostRule } from "./source-host.ts";
import { parseSpiffeRule, type SpiffeRule } from "./spiffe-rule.ts";
import type { UserDirectory, UserEntry } from "./user-directory.ts";
import type { RawEntry, Remark } from "./users-file.ts";

/** Where an entry stands. */
export interface EntryPlace {
  readonly user: string;
  /** 0-based position in the user's list. */
  readonly index: number;
  readonly pointer: string;
  readonly fingerprintKey: Uint8Array;
}

/** An entry with what is to be said about it; of no use when there are complaints. */
export interface ReadEntry {
  readonly entry: UserEntry;
  readonly complaints: readonly Remark[];
  readonly warnings: readonly Remark[];
}

/** Decodes and checks one entry that the schema let through. */
export function readEntry(raw: RawEntry, place: EntryPlace): ReadEntry {
  const name = `'${place.user}[${place.index}]'`;
  const complaints: Remark[] = [];
  const warnings: Remark[] = [];
  const complain = (key: string, must: string): void => {
    const where = key.replaceAll("/", ".").replace(/\.(\d+)$/, "[$1]");
    complaints.push({
      pointer: `${place.pointer}/${key}`,
      message: `'${place.user}[${place.index}].${where}' ${must}`,
    });
  };
  const take = <T>(key: string, decoded: Decoded<T>): T | null => {
    if (decoded.ok) return decoded.value;
    complain(key, decoded.must);
    return null;
  };
  const credentials = readCredentials(raw, take, (key) =>
    warnings.push({
      pointer: `${place.pointer}/Password`,
      message: `'Password' of ${name} is not the password of '${key}' beside it: the hash holds, 'Password' is ignored`,
    }),
  );
  const notBeforeMs = readTime(raw, "NotBefore", complain);
  const notAfterMs = readTime(raw, "NotAfter", complain);
  if (notBeforeMs !== null && notAfterMs !== null && notBeforeMs > notAfterMs) {
    complain("NotAfter", "must not be before 'NotBefore': the entry would never be accepted");
  }
  const entry = {
    user: place.user,
    index: place.index,
    userData: raw.UserData === undefined || raw.UserData === "" ? place.user : raw.UserData,
    groups: raw.Groups === undefined ? none : [...new Set(raw.Groups)],
    credentials,
    sourceHost: readSourceHost(raw, complain),
    spiffeId: readSpiffeRule(raw, take),
    proxyFor: listOf(raw.ProxyFor),
    accountLocked: raw.AccountLocked ?? false,
    requireSecureTransport: raw.RequireSecureTransport ?? false,
    notBeforeMs,
    notAfterMs,
    maxConnections: raw.MaxConnections ?? null,
  };
  return {
    entry: { ...entry, fingerprint: fingerprintOf(entry, place.fingerprintKey) },
    complaints,
    warnings,
  };
}

/** Shared: a large file has hundreds of thousands of entries. */
const none: readonly string[] = [];

/** A string is a list of one. */
export function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? none : typeof value === "string" ? [value] : value;
}

function readCredentials(
  raw: RawEntry,
  take: <T>(key: string, decoded: Decoded<T>) => T | null,
  warnContradiction: (hashKey: string) => void,
): Credential[] {
  const credentials: Credential[] = [];
  const native =
    raw.MysqlNativePassword === undefined
      ? null
      : take("MysqlNativePassword", decodeNativeHash(raw.MysqlNativePassword));
  const sha2 =
    raw.CachingSha2Password === undefined
      ? null
      : take("CachingSha2Password", decodeSha2Hash(raw.CachingSha2Password));
  if (native !== null) credentials.push(native);
  if (sha2 !== null) credentials.push(sha2);
  if (raw.Password === undefined) return credentials;
  const clear = take("Password", decodePassword(raw.Password));
  if (clear === null) return credentials;
  const password = Buffer.from(raw.Password);
  if (native !== null && !isPasswordOf(native, password)) warnContradiction("MysqlNativePassword");
  else if (sha2 !== null && !isPasswordOf(sha2, password)) warnContradiction("CachingSha2Password");
  else credentials.push(clear);
  return credentials;
}

/** Whether a hash of the file belongs to a password of the file: no secret of a client, no need for constant time. */
function isPasswordOf(credential: Credential, password: Uint8Array): boolean {
  switch (credential.kind) {
    case "native":
      return Buffer.compare(credential.digest, nativeDigestOf(password)) === 0;
    case "sha2":
      return Buffer.compare(credential.digest, sha2DigestOf(password)) === 0;
    case "sha256crypt":
      return sha256Crypt(password, credential.salt, credential.rounds, sha256) === credential.hash;
    case "clear":
      return true;
  }
}

function readTime(
  raw: RawEntry,
  key: "NotBefore" | "NotAfter",
  complain: (key: string, must: string) => void,
): number | null {
  const text = raw[key];
  if (text === undefined) return null;
  const time = parseRfc3339(text);
  if (time === null) complain(key, 'must be a time as "2026-01-31T08:00:00Z" (RFC 3339, with a zone)');
  return time;
}

function readSourceHost(raw: RawEntry, complain: (key: string, must: string) => void): SourceHostRule {
  if (raw.SourceHost === undefined) return anySourceHost;
  const rule = parseSourceHost(listOf(raw.SourceHost));
  if (!("wrong" in rule)) return rule;
  const value = listOf(raw.SourceHost)[rule.wrong] ?? "";
  complain(
    typeof raw.SourceHost === "string" ? "SourceHost" : `SourceHost/${rule.wrong}`,
    value === "%"
      ? "must be left out to admit every host: '%' is not known here"
      : `must be "localhost" (the unix socket), an IP address or a network as "10.0.0.0/8": current value is ${JSON.stringify(value.slice(0, 100))}`,
  );
  return anySourceHost;
}

function readSpiffeRule(
  raw: RawEntry,
  take: <T>(key: string, decoded: Decoded<T>) => T | null,
): SpiffeRule | null {
  const text = raw.Attributes?.spiffe_id;
  return text === undefined ? null : take("Attributes/spiffe_id", parseSpiffeRule(text));
}

/**
 * A keyed digest of all entries of a user, hexadecimal. Who has not the same file cannot make it; who does not know the
 * entries learns nothing of them but by trying all of them out together.
 */
export function digestOfEntries(entries: readonly UserEntry[], key: Uint8Array): string {
  return hash("sha256", entries.map((entry) => fingerprintOf(entry, key)).join(" "), "hex");
}

/** The same of all users, whose order counts, made in steps. */
export function* stepsOfDirectoryDigest(directory: UserDirectory, key: Uint8Array): Steps<string> {
  const digest = createHash("sha256");
  for (const user of directory.userNames) {
    yield;
    digest.update(`${JSON.stringify(user)} ${digestOfEntries(directory.entriesOf(user) ?? [], key)}\n`);
  }
  return digest.digest("hex");
}

/**
 * A keyed digest of all that the entry says, in its decoded form: spelling, comments and position do not count. Cut to
 * 96 bits, so nobody can go on digesting where it ended.
 */
function fingerprintOf(entry: Omit<UserEntry, "fingerprint">, key: Uint8Array): string {
  const { index: _, sourceHost, spiffeId, credentials, ...more } = entry;
  const { fingerprint: _own, ...content } = { fingerprint: "", ...more };
  const text = JSON.stringify({
    ...content,
    host: sourceHost.text,
    spiffe: spiffeId?.text ?? null,
    credentials: credentials.map(spelledOut),
  });
  // As one text: a large file makes hundreds of thousands of these, and buffers would be most of the work.
  return hash("sha256", hexOf(key) + text, "hex").slice(0, 24);
}

function spelledOut(credential: Credential): string {
  switch (credential.kind) {
    case "clear":
      return `clear ${hexOf(credential.native)} ${hexOf(credential.sha2)}`;
    case "native":
    case "sha2":
      return `${credential.kind} ${hexOf(credential.digest)}`;
    case "sha256crypt":
      return credential.authenticationString;
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}
