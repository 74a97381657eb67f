// Which rule is for a client, and where it sends what. Pure.

import { type SqlError, sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import { matchesPrincipal } from "./principal-pattern.ts";
import type { TabletType, Target } from "./target.ts";
import type { KeyspaceConfig, RoutingRule, Topology } from "./topology.ts";

/** Where a client's statements about one keyspace go. */
export interface Placement {
  readonly keyspace: KeyspaceConfig;
  readonly tabletType: TabletType;
  /** Where statements go that are proven to read only; null: where the others go. */
  readonly reads: TabletType | null;
  readonly readYourWritesMs: number | null;
  /** 0-based position of the rule that says so; null: none does. */
  readonly rule: number | null;
  /** Whether anybody chose the keyspace: the client, a rule, the default target. */
  readonly isChosen: boolean;
}

/** The first rule for the client; one about another keyspace than `keyspace` does not count. */
function ruleFor(rules: readonly RoutingRule[], { callerId }: Identity, keyspace: string | null): number {
  return rules.findIndex(
    ({ userData, groups, target }) =>
      (keyspace === null || target.keyspace === keyspace) &&
      (userData.some((pattern) => matchesPrincipal(pattern, callerId.username)) ||
        groups.some((pattern) => callerId.groups.some((group) => matchesPrincipal(pattern, group)))),
  );
}

/**
 * Where a target leads the client. `target.keyspace` is one of the topology's own names. The error: a rule keeps the
 * client from the tablet type that it names.
 */
export function placeTarget(topology: Topology, identity: Identity, target: Target): Placement | SqlError {
  const { rules, keyspaces, defaultTarget } = topology;
  const index = ruleFor(rules, identity, target.keyspace);
  const rule = rules[index];
  const chosen = target.keyspace ?? rule?.target.keyspace ?? defaultTarget?.keyspace ?? null;
  const keyspace = chosen === null ? firstOf(keyspaces) : keyspaces.get(chosen);
  if (keyspace === undefined) return sqlError("ER_BAD_DB_ERROR", { database: chosen ?? "" });
  const isDefault = target.keyspace === null && rule === undefined;
  const ruled = rule?.target.tabletType ?? (isDefault ? (defaultTarget?.tabletType ?? null) : null);
  const { tabletType } = target;
  if (tabletType !== null && ruled !== null && ruled !== "primary" && ruled !== tabletType) {
    return sqlError("ER_DBACCESS_DENIED_ERROR", {
      user: identity.authUser,
      host: identity.peer.host,
      database: `${keyspace.name}@${tabletType}`,
    });
  }
  const type = tabletType ?? ruled ?? "primary";
  return {
    keyspace,
    tabletType: type,
    reads: tabletType === null && type === "primary" ? (rule?.reads ?? null) : null,
    readYourWritesMs: rule?.readYourWritesMs ?? null,
    rule: rule === undefined ? null : index,
    isChosen: chosen !== null,
  };
}

function firstOf(keyspaces: ReadonlyMap<string, KeyspaceConfig>): KeyspaceConfig | undefined {
  for (const keyspace of keyspaces.values()) return keyspace;
  return undefined;
}
