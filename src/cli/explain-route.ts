// Where `gatehouse explain` says that a statement goes. It asks no server: of a topology the file's types count, and
// every server is taken to be well.

import { isFileContent, readFileContent } from "../base/file-content.ts";
import { jsonFileBytesMax } from "../base/json-file.ts";
import { FileProblemsError } from "../base/reloadable.ts";
import { SqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { KeyspaceState } from "../routing/keyspace-state.ts";
import { type Entered, NoPrimary } from "../routing/router.ts";
import { formatTabletAddress } from "../routing/tablet-address.ts";
import { defaultTarget } from "../routing/target.ts";
import type { KeyspaceConfig, Topology } from "../routing/topology.ts";
import { parseTopologyFile } from "../routing/topology-file.ts";
import { TopologyRouter } from "../routing/topology-router.ts";
import type { BackendOptions } from "../server/gateway-options.ts";
import type { StatementSummary } from "../sql/statement-summary.ts";
import { UsageError } from "./arguments.ts";

/** Tells where statements of one client go. */
export interface RouteExplainer {
  /** The client's default schema; null: none. */
  readonly database: string | null;
  /** Where it goes, or the error that the client gets. */
  explain(statement: StatementSummary): { readonly text: string; readonly refused: boolean };
}

/**
 * Makes the explainer. `written`: the schema or target that the client names at login; null: none.
 * @throws FileProblemsError for a bad topology file, UsageError when the client could not enter the schema.
 */
export async function explainRoutes(
  backend: BackendOptions,
  identity: Identity,
  written: string | null,
  foldsCase: boolean,
): Promise<RouteExplainer> {
  if (backend.kind !== "topology") {
    const database = written ?? (backend.kind === "server" ? backend.database : null);
    const text = backend.kind === "embedded" ? "the embedded database" : formatTabletAddress(backend.address);
    return { database, explain: () => ({ text, refused: false }) };
  }
  const topology = await readTopology(backend.path);
  const states = new Map([...topology.keyspaces].map(([name, keyspace]) => [name, stateByFile(keyspace)]));
  const router = new TopologyRouter({
    topology,
    states: { generation: 1, keyspace: (name) => states.get(name) ?? null },
    account: (name) => ({ name, user: userOf(topology, name), password: () => "", generation: 1 }),
    foldsCase: () => foldsCase,
  });
  const nowhere: Entered = { target: defaultTarget, database: null };
  const entered = written === null ? router.initial(identity) : router.enter(identity, written, nowhere);
  if (entered instanceof SqlError)
    throw new UsageError(`The client cannot enter '${written}': ERROR ${entered.code}: ${entered.message}`);
  const explain = (statement: StatementSummary) => {
    const { use } = statement.effects;
    if (statement.kind === "USE" && use !== null) return explainUse(router.enter(identity, use, entered));
    const route = router.route(identity, {
      ...entered,
      statements: [statement],
      readsMayLeave: true,
      held: null,
      stuck: null,
      spread: 0,
    });
    if (route instanceof SqlError) return refusal(route);
    if (route instanceof NoPrimary) return { text: `nowhere: ${route.because}`, refused: true };
    const { tablet, account, keyspace, tabletType } = route;
    const where = `${tablet.alias} (${formatTabletAddress(tablet.address)})`;
    const text = `${where}, ${tabletType} of keyspace ${keyspace}, account ${account.name}`;
    return { text, refused: false };
  };
  return { database: entered.database, explain };
}

function explainUse(entered: Entered | SqlError): { text: string; refused: boolean } {
  if (entered instanceof SqlError) return refusal(entered);
  return { text: `the session is in ${entered.database} then`, refused: false };
}

function refusal({ code, sqlState, message }: SqlError): { text: string; refused: boolean } {
  return { text: `ERROR ${code} (${sqlState}): ${message}`, refused: true };
}

async function readTopology(path: string): Promise<Topology> {
  const content = await readFileContent(path, jsonFileBytesMax);
  if (!isFileContent(content)) throw new FileProblemsError([content]);
  const parsed = parseTopologyFile({ text: content.bytes, path: content.path });
  if (!parsed.ok) throw new FileProblemsError(parsed.problems);
  return parsed.topology;
}

function stateByFile({ name, tablets, monitor }: KeyspaceConfig): KeyspaceState {
  const named = tablets.find(({ type }) => type === "primary");
  const primary = named ?? (monitor === "none" ? undefined : tablets.find(({ type }) => type === "replica"));
  const others = tablets.filter((one) => one !== primary);
  const isRdonly = ({ type }: { readonly type: string }): boolean => type === "rdonly";
  return {
    primary: primary?.tablet ?? null,
    noPrimaryBecause:
      primary === undefined ? `Keyspace '${name}' has no tablet that could be written to` : null,
    replicas: others.filter((one) => !isRdonly(one)).map(({ tablet }) => tablet),
    rdonly: others.filter(isRdonly).map(({ tablet }) => tablet),
  };
}

function userOf({ accounts }: Topology, name: string): string {
  return (accounts.byUserData.get(name) ?? accounts.default).user;
}
