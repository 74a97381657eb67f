// What a greeting tells about a server: family, version, capabilities. Pure.

import type { HandshakeV10 } from "../wire/packets/handshake-v10.ts";
import type { ServerFacts } from "./backend-connection.ts";

/** Longest version text that is passed on, in characters. */
const versionCharactersMax = 100;

/** Reads a greeting. The version text is cut to what is printable: clients and logs get to see it. */
export function serverFactsOf(
  greeting: Pick<HandshakeV10, "serverVersion" | "capabilities" | "collation">,
): ServerFacts {
  const versionText = greeting.serverVersion.slice(0, versionCharactersMax).replace(/[^!-~]/g, "?");
  return {
    versionText,
    flavour: /mariadb/i.test(versionText) ? "mariadb" : "mysql",
    versionNumber: versionNumberOf(versionText),
    capabilities: greeting.capabilities,
    collation: greeting.collation,
  };
}

/** 101119 for `5.5.5-10.11.19-MariaDB`, 80036 for `8.0.36`; 0 when there is no version in it. */
export function versionNumberOf(versionText: string): number {
  // MariaDB greets old replicas with a version that they accept; its own follows.
  const match = /^(?:5\.5\.5-(?=\d))?(\d{1,3})\.(\d{1,2})\.(\d{1,2})/.exec(versionText);
  if (match === null) return 0;
  return Number(match[1]) * 10_000 + Number(match[2]) * 100 + Number(match[3]);
}
