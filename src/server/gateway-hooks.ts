// What a program that uses Gatehouse as a library may put in place of its parts. Types only.

import type { AuthorizeHook } from "../acl/hooked-authorizer.ts";
import type { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { Route } from "../routing/route.ts";
import type { NoPrimary, RouteRequest } from "../routing/router.ts";
import type { RawEntry } from "../users/users-file.ts";

/** Calls `changed` whenever the hook would answer otherwise from now on; returns what ends that. */
export type Watch = (changed: () => void) => () => void;

/** The users file as a value: docs/how-to/rotate-a-password.md and schemas/users.schema.json tell what it means. */
export type UsersFileContent = Readonly<
  Record<string, readonly (RawEntry & { readonly Comment?: string | undefined })[]>
>;

/** Users from elsewhere than a file. */
export interface UsersHook {
  /** All users. What it throws, or a content with a mistake, leaves the last good one in use; at the start it is thrown. */
  readonly load: () => UsersFileContent | Promise<UsersFileContent>;
  readonly watch?: Watch;
}

/** Decides beside the table ACL, or alone where there is none. */
export interface AuthorizerHook {
  readonly authorize: AuthorizeHook;
  readonly watch?: Watch;
}

/** What the gateway's own router has found; opaque. */
export type RouteResult = Route | SqlError | NoPrimary;

/** Chooses server and account. */
export interface RouterHook {
  /**
   * Called when a session needs a connection: `usual()` is what the gateway would do. A route of one's own may lead to
   * any server that understands what the gateway announces. `refuse`: the client gets 1105 with this sentence.
   */
  readonly route: (
    identity: Identity,
    request: RouteRequest,
    usual: () => RouteResult,
  ) => RouteResult | { readonly refuse: string };
}

/** All hooks; what is left out is done as the flags say. */
export interface GatewayHooks {
  readonly users?: UsersHook | undefined;
  readonly authorizer?: AuthorizerHook | undefined;
  readonly router?: RouterHook | undefined;
}
