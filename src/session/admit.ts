// admit(): from an authenticated user to a session that may work: identity, limits, the schema it asked for. In the
// order of MySQL: credentials first, then what the account may hold, then the schema.

import type { AuthenticatedUser } from "../auth/auth-exchange.ts";
import type { LoginRequest } from "../auth/login-request.ts";
import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { UserEntry } from "../users/user-directory.ts";
import type { SessionRegistry } from "./session-registry.ts";
import type { SessionLimits, SessionServices } from "./session-services.ts";

/** Refused after its credentials were right: the error, and the reason code for the audit log. */
export interface Refusal {
  readonly error: SqlError;
  readonly reason: string;
}

/** Makes the identity and checks the limits that hold for it. */
export function admit(
  user: AuthenticatedUser,
  request: LoginRequest,
  services: SessionServices,
): Identity | Refusal {
  const identified = services.authenticator.identify(user, request);
  if ("error" in identified) return identified;
  const { identity, base } = identified;
  const entries = base === null ? [user.entry] : [user.entry, base];
  return overLimit(identity, entries, services.registry, services.limits) ?? identity;
}

/** Tells a refusal from an identity. */
export function isRefusal(value: Identity | Refusal): value is Refusal {
  return "error" in value;
}

function overLimit(
  identity: Identity,
  entries: readonly UserEntry[],
  registry: SessionRegistry,
  limits: SessionLimits,
): Refusal | null {
  const perUser = limits.connectionsPerUserMax;
  if (perUser > 0 && registry.countOfUser(identity.loginUser) >= perUser) {
    return {
      error: sqlError("ER_TOO_MANY_USER_CONNECTIONS", { user: identity.loginUser }),
      reason: "max_connections_per_user",
    };
  }
  for (const entry of entries) {
    if (entry.maxConnections === null) continue;
    if (registry.countOfEntry(entry.user, entry.fingerprint) >= entry.maxConnections) {
      const values = { user: entry.user, resource: "max_user_connections", limit: entry.maxConnections };
      return { error: sqlError("ER_USER_LIMIT_REACHED", values), reason: "max_connections_of_entry" };
    }
  }
  return null;
}
