// Proxy users: a login that is mapped to a base account, as MySQL does it for its built-in methods
// (https://dev.mysql.com/doc/refman/8.4/en/proxy-users.html), with bases in written order, exact names, no chaining and
// no anonymous users.

import { hasSecureTransport, type Peer } from "../identity/peer.ts";
import type { UserDirectory, UserEntry } from "./user-directory.ts";

/** MySQL's variables of the same names. */
export interface ProxyUserOptions {
  readonly checkProxyUsers: boolean;
  readonly mysqlNativePasswordProxyUsers: boolean;
  readonly cachingSha2PasswordProxyUsers: boolean;
  readonly sha256PasswordProxyUsers: boolean;
}

/** Nothing is mapped: MySQL's default. */
export const noProxyUsers: ProxyUserOptions = {
  checkProxyUsers: false,
  mysqlNativePasswordProxyUsers: false,
  cachingSha2PasswordProxyUsers: false,
  sha256PasswordProxyUsers: false,
};

/** The variables by MySQL's names. */
export function switchesOf(options: ProxyUserOptions): ReadonlyMap<string, boolean> {
  return new Map([
    ["check_proxy_users", options.checkProxyUsers],
    ["mysql_native_password_proxy_users", options.mysqlNativePasswordProxyUsers],
    ["caching_sha2_password_proxy_users", options.cachingSha2PasswordProxyUsers],
    ["sha256_password_proxy_users", options.sha256PasswordProxyUsers],
  ]);
}

/** What the mapping of a login comes to. */
export type ProxyMapping =
  /** The login stands for itself. */
  | { readonly kind: "itself" }
  /** The entry of the base account. */
  | { readonly kind: "base"; readonly entry: UserEntry }
  /** The base account would admit the client, but over a secure transport only. */
  | { readonly kind: "insecure" };

/** Maps a login that `plugin` completed. `directory` is the one that judged it. */
export function mapProxyUser(
  entry: UserEntry,
  plugin: string,
  peer: Peer,
  directory: UserDirectory,
  options: ProxyUserOptions,
  nowMs: number,
): ProxyMapping {
  if (!mapsLoginsOf(plugin, options)) return { kind: "itself" };
  for (const name of entry.proxyFor) {
    const candidates = (directory.entriesOf(name) ?? []).filter(
      (candidate) =>
        candidate.sourceHost.admits(peer) &&
        (candidate.notBeforeMs === null || nowMs >= candidate.notBeforeMs) &&
        (candidate.notAfterMs === null || nowMs <= candidate.notAfterMs),
    );
    const base = candidates.find(
      (candidate) => !candidate.requireSecureTransport || hasSecureTransport(peer),
    );
    if (base !== undefined) return { kind: "base", entry: base };
    if (candidates.length > 0) return { kind: "insecure" };
  }
  return { kind: "itself" };
}

function mapsLoginsOf(plugin: string, options: ProxyUserOptions): boolean {
  if (!options.checkProxyUsers) return false;
  switch (plugin) {
    case "mysql_native_password":
      return options.mysqlNativePasswordProxyUsers;
    case "caching_sha2_password":
      return options.cachingSha2PasswordProxyUsers;
    case "sha256_password":
      return options.sha256PasswordProxyUsers;
    default:
      return false;
  }
}
