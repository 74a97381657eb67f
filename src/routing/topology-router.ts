// Routing over a topology: keyspaces by the names in a text, tablets by target and rules, accounts by UserData. Pure: it
// reads what others watch.

import { SqlError, sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import { foldObjectName, isSystemSchema } from "../sql/object-name.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import type { TopologyStates } from "./keyspace-state.ts";
import { keyspaceNamed, makesSchema, neededKeyspaces, unknownDatabase } from "./named-keyspaces.ts";
import { bestPrincipal } from "./principal-pattern.ts";
import { isPortableRead, mayWrite } from "./read-or-write.ts";
import type { BackendAccount, Route, Tablet } from "./route.ts";
import {
  type Entered,
  NoPrimary,
  type RoutedBy,
  type RouteRequest,
  type Router,
  type SchemaNames,
} from "./router.ts";
import { type Placement, placeTarget } from "./routing-rules.ts";
import { isSameAddress } from "./tablet-address.ts";
import { defaultTarget, parseTarget, type TabletType } from "./target.ts";
import type { Topology } from "./topology.ts";

/** What the router reads. */
export interface TopologyRouterSources {
  readonly topology: Topology;
  readonly states: TopologyStates;
  /** The account of this name of the file, as it is now. */
  readonly account: (name: string) => BackendAccount;
  /** Whether the servers compare names of schemas without regard to case. */
  readonly foldsCase: () => boolean;
}

/** A keyspace and the kind of tablet that is wanted of it. */
type Wanted = Pick<Placement, "keyspace" | "tabletType">;

/** See the file's head. One for each content of the topology file. */
export class TopologyRouter implements Router, SchemaNames {
  readonly routedBy: RoutedBy;
  readonly schemas = this;
  readonly #sources: TopologyRouterSources;

  constructor(sources: TopologyRouterSources) {
    this.#sources = sources;
    this.routedBy = sources.topology.rules.some(({ reads }) => reads !== null) ? "everything" : "names";
  }

  get generation(): number {
    return this.#sources.states.generation;
  }

  route(identity: Identity, request: RouteRequest): Route | SqlError | NoPrimary {
    const { held, stuck } = request;
    const own = placeTarget(this.#sources.topology, identity, request.target);
    // A keyspace that has left the topology: what was begun in it may end.
    if (own instanceof SqlError) return held !== null && stuck !== null ? held : own;
    const statements = request.statements ?? [];
    const places = this.#placesOf(identity, own, statements, request);
    if (places instanceof SqlError) return places;
    const isReplica = (places.length === 0 ? [own] : places).some(
      ({ tabletType }) => tabletType !== "primary",
    );
    if (isReplica && statements.some(mayWrite))
      return sqlError("ER_OPTION_PREVENTS_STATEMENT", { option: "--read-only" });
    if (places.length === 0) {
      const asks = statements.some(({ asksFor }) => asksFor.length > 0);
      if (held !== null && (stuck !== null || asks)) return held;
      return this.#choose([own], own, identity, request);
    }
    if (held !== null && stuck !== null) {
      const strange = places.find((place) => !this.#isPlaceOf(held, place));
      return strange === undefined ? held : elsewhere(strange, stuck);
    }
    return this.#choosePlaces(places, own, identity, request);
  }

  /** Those that the text needs, the session's own first; empty: it means the same anywhere. */
  #placesOf(
    identity: Identity,
    own: Placement,
    statements: readonly StatementSummary[],
    { database, target }: RouteRequest,
  ): readonly Placement[] | SqlError {
    const { topology, foldsCase } = this.#sources;
    const odd = statements.find(
      ({ effects, innerKinds, kind }) =>
        innerKinds.includes("USE") || (effects.use !== null && (kind !== "USE" || statements.length > 1)),
    );
    if (odd !== undefined)
      return sqlError("ER_NOT_SUPPORTED_YET", { feature: "USE together with other statements, or prepared" });
    const needed = neededKeyspaces(topology, statements, database, foldsCase());
    if (needed instanceof SqlError) return needed;
    const places: Placement[] = needed.own || needed.others.has(own.keyspace) ? [own] : [];
    for (const keyspace of needed.others) {
      if (keyspace === own.keyspace) continue;
      const { tabletType } = target;
      const place = placeTarget(topology, identity, { keyspace: keyspace.name, tabletType });
      if (place instanceof SqlError) return place;
      places.push(place);
    }
    return places;
  }

  #choosePlaces(
    places: readonly Placement[],
    own: Placement,
    identity: Identity,
    request: RouteRequest,
  ): Route | SqlError | NoPrimary {
    if (request.readsMayLeave && (request.statements ?? []).every(isPortableRead)) {
      const readers = places.flatMap(({ keyspace, reads }) =>
        reads === null ? [] : [{ keyspace, tabletType: reads }],
      );
      // Where no replica can serve them, the primary does.
      const route = readers.length === places.length ? this.#choose(readers, own, identity, request) : null;
      if (route !== null && !(route instanceof SqlError) && !(route instanceof NoPrimary)) {
        const waits = places.flatMap(({ readYourWritesMs }) => readYourWritesMs ?? []);
        return waits.length === 0 ? route : { ...route, ownWritesWithinMs: Math.min(...waits) };
      }
    }
    if (places.includes(own)) return this.#choose(places, own, identity, request);
    // The session's own schema is wanted as well, if that costs nothing: what has no name stays the same.
    const both = this.#choose([own, ...places], own, identity, request);
    if (!(both instanceof SqlError) && !(both instanceof NoPrimary)) return both;
    return this.#choose(places, own, identity, request);
  }

  /** One server for all of `wanted`; the first decides which. */
  #choose(
    wanted: readonly Wanted[],
    own: Placement,
    identity: Identity,
    request: RouteRequest,
  ): Route | SqlError | NoPrimary {
    const [first, ...others] = wanted;
    if (first === undefined) return sqlError("ER_BAD_DB_ERROR", { database: "" });
    for (const one of wanted) {
      const missing = this.#missing(one);
      if (missing !== null) return missing;
    }
    const candidates = this.#candidates(first);
    for (let index = 0; index < candidates.length; index += 1) {
      const tablet = candidates[(index + request.spread) % candidates.length];
      if (tablet === undefined) break;
      const serves = (one: Wanted) =>
        this.#candidates(one).some(({ address }) => isSameAddress(address, tablet.address));
      if (!others.every(serves)) continue;
      const { name } = first.keyspace;
      const database = this.#schemaOn(first, own, request);
      const account = this.#accountOf(identity);
      return { keyspace: name, tabletType: first.tabletType, tablet, account, database };
    }
    const names = wanted.map(({ keyspace }) => `'${keyspace.name}'`).join(" and ");
    return sqlError("ER_NOT_SUPPORTED_YET", {
      feature: `${names} in one statement: these keyspaces are on different servers`,
    });
  }

  #candidates({ keyspace, tabletType }: Wanted): readonly Tablet[] {
    const state = this.#sources.states.keyspace(keyspace.name);
    if (state === null) return [];
    if (tabletType === "primary") return state.primary === null ? [] : [state.primary];
    return tabletType === "replica" ? state.replicas : state.rdonly;
  }

  #missing(wanted: Wanted): NoPrimary | SqlError | null {
    if (this.#candidates(wanted).length > 0) return null;
    const { keyspace, tabletType } = wanted;
    if (tabletType === "primary") {
      const state = this.#sources.states.keyspace(keyspace.name);
      return new NoPrimary(
        keyspace.name,
        state?.noPrimaryBecause ?? `Keyspace '${keyspace.name}' is not served`,
      );
    }
    const reason = `No usable tablet for '${keyspace.name}@${tabletType}'`;
    return sqlError("ER_SERVER_ISNT_AVAILABLE", {}, { reason });
  }

  /** The schema that a connection is to be in. */
  #schemaOn(first: Wanted, own: Placement, { database, statements }: RouteRequest): string | null {
    if (database === null || isSystemSchema(database)) return database;
    if (first.keyspace === own.keyspace) return own.keyspace.database;
    // What is to be made cannot be entered before.
    return (statements ?? []).some(makesSchema) ? null : first.keyspace.database;
  }

  #isPlaceOf(held: Route, { keyspace, tabletType }: Placement): boolean {
    if (held.tabletType !== tabletType) return false;
    // It was, when the session got there: what was begun may end, wherever the keyspace has moved since.
    if (held.keyspace === keyspace.name) return true;
    return keyspace.tablets.some(({ tablet }) => isSameAddress(tablet.address, held.tablet.address));
  }

  #accountOf({ callerId }: Identity): BackendAccount {
    const { topology, account } = this.#sources;
    return account(bestPrincipal(topology.accounts.byUserData.keys(), callerId.username) ?? "default");
  }

  // ---- names ----

  initial(identity: Identity): Entered | SqlError {
    const { topology } = this.#sources;
    const place = placeTarget(topology, identity, defaultTarget);
    if (place instanceof SqlError) return place;
    if (!place.isChosen) return { target: defaultTarget, database: null };
    // Named from now on: another default target must not move a session whose names were read in this one.
    const { name } = place.keyspace;
    const tabletType = place.rule === null ? (topology.defaultTarget?.tabletType ?? null) : null;
    return { target: { keyspace: name, tabletType }, database: name };
  }

  enter(identity: Identity, written: string, current: Entered): Entered | SqlError {
    const { topology, foldsCase } = this.#sources;
    const target = parseTarget(written);
    if (target === null) return unknownDatabase(written);
    const { keyspace: name, tabletType } = target;
    if (name === null) return this.#enterType(identity, tabletType, current);
    if (isSystemSchema(name)) {
      const type = tabletType ?? current.target.tabletType;
      const inside = this.#enterType(identity, type, current);
      return inside instanceof SqlError ? inside : { ...inside, database: foldObjectName(name) };
    }
    const keyspace = keyspaceNamed(topology, name, foldsCase());
    if (keyspace === null) return unknownDatabase(written);
    const entered = { keyspace: keyspace.name, tabletType };
    const place = placeTarget(topology, identity, entered);
    return place instanceof SqlError ? place : { target: entered, database: keyspace.name };
  }

  /** The same keyspace, another kind of tablet. */
  #enterType(identity: Identity, tabletType: TabletType | null, current: Entered): Entered | SqlError {
    const target = { ...current.target, tabletType };
    const place = placeTarget(this.#sources.topology, identity, target);
    return place instanceof SqlError ? place : { target, database: current.database };
  }

  list(): readonly string[] {
    return [...this.#sources.topology.keyspaces.keys(), "information_schema"].sort();
  }

  databaseOf(name: string): string {
    return this.#sources.topology.keyspaces.get(name)?.database ?? name;
  }
}

function elsewhere({ keyspace, tabletType }: Placement, stuck: string): SqlError {
  const where = tabletType === "primary" ? `'${keyspace.name}'` : `'${keyspace.name}@${tabletType}'`;
  return sqlError("ER_NOT_SUPPORTED_YET", {
    feature: `${where} now: the session cannot leave another server because of ${stuck}`,
  });
}
