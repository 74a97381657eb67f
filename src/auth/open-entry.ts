// An entry for users that stand in no file: those of `none` and `clientcert`.

import { createHash } from "node:crypto";
import { anySourceHost } from "../users/source-host.ts";
import type { UserEntry } from "../users/user-directory.ts";

/** An entry without limits, groups as given; UserData is the name. */
export function openEntry(user: string, groups: readonly string[]): UserEntry {
  return {
    user,
    index: 0,
    fingerprint: createHash("sha256").update(user).digest("hex").slice(0, 24),
    userData: user,
    groups,
    credentials: [],
    sourceHost: anySourceHost,
    spiffeId: null,
    proxyFor: [],
    accountLocked: false,
    requireSecureTransport: false,
    notBeforeMs: null,
    notAfterMs: null,
    maxConnections: null,
  };
}
