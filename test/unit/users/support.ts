// Users files for tests, from plain objects.
import { formatProblem } from "../../../src/base/problem.ts";
import type { Peer } from "../../../src/identity/peer.ts";
import type { UserDirectory, UserEntry } from "../../../src/users/user-directory.ts";
import { readUsersFile } from "../../../src/users/users-file.ts";

const fingerprintKey = Buffer.alloc(32, 7);

/** Reads a file that must be valid. */
export function directoryOf(content: object | string, generation = 1): UserDirectory {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  const result = readUsersFile(text, "users.json", generation, fingerprintKey);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.directory;
}

/** The problems of a file, one a line; empty when it is valid. */
export function problemsOf(content: object | string): string[] {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  const result = readUsersFile(text, "users.json", 1, fingerprintKey);
  return result.ok ? [] : result.problems.map(formatProblem);
}

/** The warnings of a file that must be valid. */
export function warningsOf(content: object | string): string[] {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  const result = readUsersFile(text, "users.json", 1, fingerprintKey);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join("\n"));
  return result.warnings.map(formatProblem);
}

/** The first entry of a user. */
export function entryOf(directory: UserDirectory, user = "u", index = 0): UserEntry {
  const entry = directory.entriesOf(user)?.[index];
  if (entry === undefined) throw new Error(`no entry ${user}[${index}]`);
  return entry;
}

export const unixPeer: Peer = { transport: "unix", address: "", port: 0, host: "localhost", tls: null };

export function tcpPeer(address = "192.0.2.7"): Peer {
  return { transport: "tcp", address, port: 40_000, host: address, tls: null };
}

export function tlsPeer(address = "192.0.2.7"): Peer {
  return {
    ...tcpPeer(address),
    tls: { version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", certificate: null },
  };
}
