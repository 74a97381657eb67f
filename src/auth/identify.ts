// identify(): from an authenticated user to the identity of its session. Pure.

import type { SqlError } from "../errors/sql-error.ts";
import type { EntryReference, Identity } from "../identity/identity.ts";
import { mapProxyUser, type ProxyUserOptions } from "../users/proxy-users.ts";
import type { UserEntry } from "../users/user-directory.ts";
import type { AuthenticatedUser } from "./auth-exchange.ts";
import { accessDenied } from "./login-exchange.ts";
import type { LoginRequest } from "./login-request.ts";

/** Who a session is, with the entry of the base account when a proxy user is mapped; or why it cannot be anybody. */
export type Identified =
  | { readonly identity: Identity; readonly base: UserEntry | null }
  | { readonly error: SqlError; readonly reason: string };

/** Maps proxy users and makes the identity, by the users that judged the login. */
export function identifyUser(
  user: AuthenticatedUser,
  request: LoginRequest,
  options: ProxyUserOptions,
  nowMs: number,
): Identified {
  const { entry, plugin, directory } = user;
  const { generation } = directory;
  const mapping = mapProxyUser(entry, plugin, request.peer, directory, options, nowMs);
  if (mapping.kind === "insecure") {
    // On an insecure transport nothing but a password can have been accepted.
    const error = accessDenied(request, true);
    return { error, reason: "base_requires_secure_transport" };
  }
  const base = mapping.kind === "base" ? mapping.entry : null;
  const effective = base ?? entry;
  const identity: Identity = {
    loginUser: user.loginUser,
    authUser: effective.user,
    authHost: effective.sourceHost.text,
    proxyUser: base === null ? null : `'${entry.user}'@'${entry.sourceHost.text}'`,
    callerId: { username: effective.userData, groups: effective.groups },
    entry: referenceTo(entry, generation),
    baseEntry: base === null ? null : referenceTo(base, generation),
    plugin,
    spiffeId: user.spiffeId,
    peer: request.peer,
  };
  return { identity, base };
}

function referenceTo(entry: UserEntry, generation: number): EntryReference {
  return { user: entry.user, index: entry.index, generation, fingerprint: entry.fingerprint };
}
