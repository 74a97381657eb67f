// admit(): from an authenticated user to a session that may work: identity, limits, the schema it asked for. In the
// order of MySQL: credentials first, then what the account may hold, then the schema.

import type { AuthenticatedUser } from "../auth/auth-exchange.ts";
import type { LoginRequest } from "../auth/login-request.ts";
import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { UserEntry } from "../users/user-directory.ts";
import type { SessionRegistry } from "./session-registry.ts";
import type { SessionLimits, SessionServices } from "./session-services.ts";
import { entryPlace, placesOf, type SiblingProcesses, userPlace } from "./sibling-processes.ts";

/** Refused after its credentials were right: the error, and the reason code for the audit log. */
export interface Refusal {
  readonly error: SqlError;
  readonly reason: string;
}

/** Makes the identity and checks the limits that hold for it. A promise only where other processes count too. */
export function admit(
  user: AuthenticatedUser,
  request: LoginRequest,
  services: SessionServices,
): Identity | Refusal | Promise<Identity | Refusal> {
  const identified = services.authenticator.identify(user, request);
  if ("error" in identified) return identified;
  const { identity, base } = identified;
  const entries = base === null ? [user.entry] : [user.entry, base];
  const { registry, limits, siblings } = services;
  if (siblings !== null) return takePlaces(identity, entries, limits, siblings);
  return overLimit(identity, entries, registry, limits) ?? identity;
}

/** An identity that was admitted is gone. */
export function forgetIdentity(services: SessionServices, identity: Identity): void {
  services.registry.removeIdentity(identity);
  for (const place of services.siblings === null ? [] : placesOf(identity))
    services.siblings?.giveBack(place);
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
  if (perUser > 0 && registry.countOfUser(identity.loginUser) >= perUser) return tooManyOfUser(identity);
  for (const entry of entries) {
    const max = entry.maxConnections;
    if (max !== null && registry.countOfEntry(entry.user, entry.fingerprint) >= max)
      return tooManyOfEntry(entry);
  }
  return null;
}

/** All are counted, limited or not: a reload may bring a limit. */
async function takePlaces(
  identity: Identity,
  entries: readonly UserEntry[],
  limits: SessionLimits,
  siblings: SiblingProcesses,
): Promise<Identity | Refusal> {
  const perUser = limits.connectionsPerUserMax;
  const user = userPlace(identity.loginUser);
  if (!(await siblings.take(user, perUser > 0 ? perUser : null))) return tooManyOfUser(identity);
  const taken = [user];
  for (const entry of entries) {
    const place = entryPlace(entry.user, entry.fingerprint);
    if (!(await siblings.take(place, entry.maxConnections))) {
      for (const one of taken) siblings.giveBack(one);
      return tooManyOfEntry(entry);
    }
    taken.push(place);
  }
  return identity;
}

function tooManyOfUser({ loginUser }: Identity): Refusal {
  return {
    error: sqlError("ER_TOO_MANY_USER_CONNECTIONS", { user: loginUser }),
    reason: "max_connections_per_user",
  };
}

function tooManyOfEntry({ user, maxConnections }: UserEntry): Refusal {
  const values = { user, resource: "max_user_connections", limit: maxConnections ?? 0 };
  return { error: sqlError("ER_USER_LIMIT_REACHED", values), reason: "max_connections_of_entry" };
}
