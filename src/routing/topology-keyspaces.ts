// The keyspaces of a topology file, and their tablets.

import { joinPointer } from "../base/json-text.ts";
import { foldObjectName, isSystemSchema, objectNameDoubt } from "../sql/object-name.ts";
import type { BackendTls, Tablet } from "./route.ts";
import { parseTabletAddress } from "./tablet-address.ts";
import type { KeyspaceConfig, TabletConfig } from "./topology.ts";
import type { RawKeyspace, RawTablet, ReadingTools } from "./topology-file-format.ts";

const healthIntervalMsDefault = 1000;
/** More frequent checks are a load of their own, in milliseconds. */
const healthIntervalMsMin = 50;
const healthFailuresDefault = 3;

/** Tablets by alias, over all keyspaces; and where each was first named. */
type KnownTablets = Map<string, { readonly tablet: Tablet; readonly keyspace: string }>;

/** Reads all keyspaces. */
export function readKeyspaces(
  raw: Readonly<Record<string, RawKeyspace>>,
  tools: ReadingTools,
): ReadonlyMap<string, KeyspaceConfig> {
  const keyspaces = new Map<string, KeyspaceConfig>();
  const known: KnownTablets = new Map();
  const folded = new Map<string, string>();
  for (const [name, value] of Object.entries(raw)) {
    const pointer = joinPointer("/keyspaces", name);
    judgeName(name, pointer, folded, tools);
    keyspaces.set(name, readKeyspace(name, value, pointer, known, tools));
  }
  return keyspaces;
}

function judgeName(
  name: string,
  pointer: string,
  folded: Map<string, string>,
  { complain }: ReadingTools,
): void {
  const quoted = JSON.stringify(name);
  const doubt = objectNameDoubt(name);
  if (doubt !== null) complain(pointer, `Keyspace ${quoted} cannot be named so: ${doubt}`);
  if (name.includes("@"))
    complain(pointer, `Keyspace ${quoted} cannot be named so: behind '@' stands a tablet type`);
  if (isSystemSchema(name))
    complain(pointer, `Keyspace ${quoted} cannot be named so: every server has a schema of this name`);
  const twin = folded.get(foldObjectName(name));
  if (twin === undefined) folded.set(foldObjectName(name), name);
  else
    complain(
      pointer,
      `Keyspaces ${JSON.stringify(twin)} and ${quoted} differ in case only: servers may take them for the same`,
    );
}

function readKeyspace(
  name: string,
  raw: RawKeyspace,
  pointer: string,
  known: KnownTablets,
  tools: ReadingTools,
): KeyspaceConfig {
  const { complain, warn, durationOf } = tools;
  const monitor = raw.monitor ?? "read_only";
  const database = raw.database ?? name;
  const doubt = objectNameDoubt(database);
  if (doubt !== null || isSystemSchema(database)) {
    complain(
      `${pointer}/database`,
      `Key 'database' cannot be so: ${doubt ?? "it is the server's own schema"}`,
    );
  }
  const tablets = raw.tablets.map((tablet, index) =>
    readTablet(tablet, `${pointer}/tablets/${index}`, name, known, tools),
  );
  const primaries = tablets.filter(({ type }) => type === "primary").length;
  if (monitor === "none" && primaries !== 1) {
    const message = `Keyspace ${JSON.stringify(name)} has ${primaries} tablets of type "primary"`;
    if (primaries > 1) complain(`${pointer}/tablets`, `${message}: without a monitor there can be only one`);
    else warn(`${pointer}/tablets`, `${message}: without a monitor nothing can be written`);
  }
  const healthIntervalMs =
    raw.health_interval === undefined ? healthIntervalMsDefault : durationOf(raw.health_interval);
  if (healthIntervalMs < healthIntervalMsMin)
    complain(`${pointer}/health_interval`, `Key 'health_interval' must be at least ${healthIntervalMsMin}ms`);
  if (raw.failback_checks !== undefined && monitor !== "galera")
    complain(
      `${pointer}/failback_checks`,
      'Key \'failback_checks\' has no effect without "monitor": "galera"',
    );
  return {
    name,
    database,
    monitor,
    maxReplicaLagMs: raw.max_replica_lag === undefined ? null : durationOf(raw.max_replica_lag),
    healthIntervalMs,
    healthFailures: raw.health_failures ?? healthFailuresDefault,
    failbackChecks: raw.failback_checks ?? 0,
    tablets: withoutTwins(tablets, pointer, tools),
  };
}

function readTablet(
  raw: RawTablet,
  pointer: string,
  keyspace: string,
  known: KnownTablets,
  { complain, pathOf }: ReadingTools,
): TabletConfig {
  const { alias, type } = raw;
  const address = parseTabletAddress(raw.address);
  if (typeof address === "string") complain(`${pointer}/address`, `Key 'address' ${address}`);
  const tls = readTls(raw.tls, `${pointer}/tls`, { complain, pathOf });
  const tablet: Tablet = {
    alias,
    address: typeof address === "string" ? { kind: "unix", path: raw.address } : address,
    tls,
  };
  const first = known.get(alias);
  if (first === undefined) {
    known.set(alias, { tablet, keyspace });
    return { tablet, type };
  }
  if (first.keyspace !== keyspace && isSameServer(first.tablet, tablet))
    return { tablet: first.tablet, type };
  const where =
    first.keyspace === keyspace
      ? "stands twice in this keyspace"
      : `is another server in keyspace ${JSON.stringify(first.keyspace)}: address and TLS settings must be the same there`;
  complain(`${pointer}/alias`, `Alias ${JSON.stringify(alias)} ${where}`);
  return { tablet, type };
}

function readTls(
  raw: RawTablet["tls"],
  pointer: string,
  { complain, pathOf }: Pick<ReadingTools, "complain" | "pathOf">,
): BackendTls {
  if (raw === undefined) return { mode: "DISABLED", ca: null, cert: null, key: null };
  const mode = raw.mode ?? (raw.ca === undefined ? "REQUIRED" : "VERIFY_CA");
  if ((raw.cert === undefined) !== (raw.key === undefined))
    complain(pointer, "Keys 'cert' and 'key' must be given together");
  if (mode === "DISABLED" && (raw.ca !== undefined || raw.cert !== undefined))
    complain(pointer, 'Certificates have no effect with "mode": "DISABLED"');
  const path = (written: string | undefined) => (written === undefined ? null : pathOf(written));
  return { mode, ca: path(raw.ca), cert: path(raw.cert), key: path(raw.key) };
}

/** Whether both are one server, reached in the same way. */
function isSameServer(a: Tablet, b: Tablet): boolean {
  return a === b || JSON.stringify([a.address, a.tls]) === JSON.stringify([b.address, b.tls]);
}

/** One server must not look like two of a keyspace: it could be a replica of itself. */
function withoutTwins(
  tablets: readonly TabletConfig[],
  pointer: string,
  { complain }: ReadingTools,
): readonly TabletConfig[] {
  const seen = new Map<string, string>();
  for (const [index, { tablet }] of tablets.entries()) {
    const address = JSON.stringify(tablet.address);
    const twin = seen.get(address);
    if (twin !== undefined && twin !== tablet.alias)
      complain(
        `${pointer}/tablets/${index}/address`,
        `Tablet '${twin}' of this keyspace has the same address`,
      );
    seen.set(address, tablet.alias);
  }
  return tablets;
}
