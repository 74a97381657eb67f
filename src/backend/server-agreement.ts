// What several servers are together: clients are told one version and one set of capabilities, whichever server they
// get. Pure.

import { bytesChangingCapabilities } from "../wire/capabilities.ts";
import type { LearnedServer } from "./health.ts";

/** A server as far as it is known; in the order in which they count: the first ones decide what the others must be. */
export interface KnownServer {
  readonly key: string;
  readonly server: LearnedServer;
}

/** What they agree on. */
export interface Agreement {
  /** The oldest version, with the capabilities that all have; null: none is known yet. */
  readonly server: LearnedServer | null;
  /** The version number of the newest; 0: none is known yet. */
  readonly newestVersionNumber: number;
  /** Why servers are not used, as predicates, by key. */
  readonly unsuitable: ReadonlyMap<string, string>;
}

/**
 * Compares them. `announced`: capabilities that clients were told of already; a server that lacks one of them that
 * changes bytes is not used. null: none yet.
 */
export function agreeOn(servers: readonly KnownServer[], announced: number | null): Agreement {
  const unsuitable = new Map<string, string>();
  const [first] = servers;
  if (first === undefined) return { server: null, newestVersionNumber: 0, unsuitable };
  let oldest = first.server;
  let newestVersionNumber = first.server.versionNumber;
  let capabilities = announced ?? first.server.capabilities;
  for (const { key, server } of servers) {
    const why = whyNot(server, first.server, announced);
    if (why !== null) {
      unsuitable.set(key, why);
      continue;
    }
    capabilities &= server.capabilities;
    if (server.versionNumber < oldest.versionNumber) oldest = server;
    newestVersionNumber = Math.max(newestVersionNumber, server.versionNumber);
  }
  return { server: { ...oldest, capabilities: capabilities >>> 0 }, newestVersionNumber, unsuitable };
}

function whyNot(server: LearnedServer, first: LearnedServer, announced: number | null): string | null {
  if (server.flavour !== first.flavour)
    return `is of another family than the others (${nameOf(server)}, they are ${nameOf(first)})`;
  if (server.lowerCaseTableNames !== first.lowerCaseTableNames)
    return `compares names otherwise than the others (lower_case_table_names=${server.lowerCaseTableNames})`;
  const missing = (announced ?? 0) & bytesChangingCapabilities & ~server.capabilities;
  return missing === 0 ? null : "lacks capabilities that clients were told of";
}

function nameOf({ flavour }: LearnedServer): string {
  return flavour === "mariadb" ? "MariaDB" : "MySQL";
}
