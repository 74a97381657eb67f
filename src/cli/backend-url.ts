// Reads --backend. Its messages never quote the URL: it may hold a password.

import { nearestName } from "../base/nearest-name.ts";
import type { BackendAddress, BackendTls, BackendTlsMode } from "../routing/route.ts";

/** What the URL says. */
export interface BackendUrl {
  readonly address: BackendAddress;
  readonly tls: BackendTls;
  readonly user: string;
  /** null: the URL names none. */
  readonly password: string | null;
  readonly database: string | null;
}

const tlsModes: readonly BackendTlsMode[] = ["DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"];
const parameters = ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket"] as const;

/**
 * Reads `mysql://user:password@host:port/database?ssl-mode=...&ssl-ca=...` or `mysql://user:password@/database?socket=...`;
 * user, password and database are percent-encoded. Without ssl-mode: VERIFY_CA when ssl-ca is given (as the MySQL
 * client), else DISABLED. A string is the predicate of a sentence about what is wrong.
 */
export function parseBackendUrl(text: string): BackendUrl | string {
  if (!/^mysql:\/\//i.test(text)) return "must be embedded or begin with mysql://";
  let url: URL;
  try {
    // The WHATWG parser refuses credentials without a host; with a socket the host plays no part.
    url = new URL(text.replace(/^(mysql:\/\/[^/?#]*@)(?=[/?#]|$)/i, "$1localhost"));
  } catch {
    return "must be a URL such as mysql://user:password@host:3306/database (percent-encode special characters)";
  }
  if (url.hash !== "") return "must not have a fragment: write '#' in a password as %23";
  const user = decoded(url.username);
  const password = decoded(url.password);
  const database = decoded(url.pathname.replace(/^\//, ""));
  if (user === null || password === null || database === null) {
    return "must be percent-encoded correctly: write '%' itself as %25";
  }
  if (user === "") return "must name a user: mysql://user@host";
  if (database.includes("/")) return "must name one database at most";
  // URLSearchParams reads forms, where a plus is a space: in a path it is a plus.
  const search = new URLSearchParams(url.search.replaceAll("+", "%2B"));
  const tls = readParameters(search);
  if (typeof tls === "string") return tls;
  const socket = search.get("socket");
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (socket === null && host === "") return "must name a host or a socket";
  const address: BackendAddress =
    socket !== null
      ? { kind: "unix", path: socket }
      : { kind: "tcp", host, port: url.port === "" ? 3306 : Number(url.port) };
  return {
    address,
    tls,
    user,
    password: url.password === "" ? null : password,
    database: database === "" ? null : database,
  };
}

function readParameters(search: URLSearchParams): BackendTls | string {
  for (const name of search.keys()) {
    if ((parameters as readonly string[]).includes(name)) continue;
    const nearest = nearestName(name, parameters);
    return `has an unknown parameter: ${nearest === null ? `known are ${parameters.join(", ")}` : `did you mean ${nearest}?`}`;
  }
  for (const name of parameters) {
    if (search.getAll(name).length > 1) return `must give ${name} once`;
    if (search.get(name) === "") return `must not leave ${name} empty`;
  }
  const ca = search.get("ssl-ca");
  const cert = search.get("ssl-cert");
  const key = search.get("ssl-key");
  const written = search.get("ssl-mode");
  const mode = written === null ? (ca === null ? "DISABLED" : "VERIFY_CA") : written.toUpperCase();
  const known = tlsModes.find((item) => item === mode);
  if (known === undefined) return `must have an ssl-mode of ${tlsModes.join(", ")}`;
  if ((cert === null) !== (key === null)) return "must give ssl-cert and ssl-key together";
  if (known === "DISABLED" && (ca !== null || cert !== null))
    return "must not give certificates with ssl-mode=DISABLED";
  return { mode: known, ca, cert, key };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
