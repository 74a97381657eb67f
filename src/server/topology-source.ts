// The topology of a gateway: a watched file and the accounts that it names. Every reload exchanges all of it or changes
// nothing.

import type { Clock } from "../base/clock.ts";
import type { FileContent } from "../base/file-content.ts";
import { formatProblem } from "../base/problem.ts";
import { type Loaded, Reloadable } from "../base/reloadable.ts";
import type { BackendAccount } from "../routing/route.ts";
import type { Topology } from "../routing/topology.ts";
import { parseTopologyFile } from "../routing/topology-file.ts";
import { type ChangedNames, ReloadReport, type ReportTools } from "./reload-report.ts";
import { type PreparedAccounts, TopologyAccounts } from "./topology-accounts.ts";

/** What the rest of the gateway sees of it. */
export interface TopologySource {
  current(): Topology;
  /** The account of this name of the file, as it is now. */
  account(name: string): BackendAccount;
  /** Whether the file on disk is bad and an older content is in use. */
  stale(): boolean;
  /** Called after the topology has been exchanged. */
  subscribe(listener: (topology: Topology) => void): void;
  /** Called after a password has changed. */
  onPassword(listener: () => void): void;
  reload(trigger: string): Promise<void>;
  close(): void;
}

interface Prepared {
  readonly topology: Topology;
  readonly accounts: PreparedAccounts;
}

/**
 * Loads the topology for the first time.
 * @throws FileProblemsError with every problem of the file and of the passwords that it names.
 */
export async function openTopology(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
  tools: ReportTools & { readonly clock: Clock },
): Promise<TopologySource> {
  const accounts = new TopologyAccounts({ ...tools, environment, topologyPath: path });
  const reports: { current: ReloadReport | null } = { current: null };
  const reloadable = await Reloadable.start<Prepared>({
    name: "topology file",
    paths: [path],
    clock: tools.clock,
    load: ([content]) => loadTopology(content, accounts, tools),
    loadsMore: true,
    onEvent: (event) =>
      reports.current?.handle(event, (previous, value) => describe(previous.topology, value.topology)),
  });
  reports.current = new ReloadReport({ name: "topology file", path }, tools);
  accounts.take(reloadable.current().accounts);
  reloadable.subscribe((value) => accounts.take(value.accounts));
  return {
    current: () => reloadable.current().topology,
    account: (name) => accounts.current(name),
    stale: () => reloadable.lastFailure !== null,
    subscribe: (listener) => void reloadable.subscribe(({ topology }) => listener(topology)),
    onPassword: (listener) => accounts.subscribe(listener),
    reload: async (trigger) => {
      await reloadable.reload(trigger);
      await accounts.reload(trigger);
    },
    close: () => {
      reloadable.close();
      accounts.close();
    },
  };
}

async function loadTopology(
  content: FileContent | undefined,
  accounts: TopologyAccounts,
  { logger }: ReportTools,
): Promise<Loaded<Prepared>> {
  if (content === undefined) return { ok: false, problems: [] };
  const result = parseTopologyFile({ text: content.bytes, path: content.path });
  if (!result.ok) return result;
  const { topology } = result;
  const prepared = await accounts.prepare(topology);
  if (prepared.problems.length > 0) return { ok: false, problems: prepared.problems };
  for (const warning of result.warnings)
    logger.warn("The topology file has something without effect", { problem: formatProblem(warning) });
  return { ok: true, value: { topology, accounts: prepared } };
}

/** Names of keyspaces, and of the other parts as a whole. */
function describe(previous: Topology, value: Topology): ChangedNames {
  const before = contentOf(previous);
  const after = contentOf(value);
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after.keys()].filter((name) => before.has(name) && before.get(name) !== after.get(name)),
  };
}

function contentOf({ keyspaces, accounts, rules, defaultTarget }: Topology): Map<string, string> {
  const contents = new Map<string, string>();
  for (const [name, keyspace] of keyspaces) contents.set(`keyspace ${name}`, JSON.stringify(keyspace));
  contents.set("accounts", JSON.stringify([accounts.default, accounts.monitor, [...accounts.byUserData]]));
  contents.set("routing_rules", JSON.stringify(rules));
  contents.set("default_target", JSON.stringify(defaultTarget));
  return contents;
}
