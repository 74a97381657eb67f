// Reads a topology file (schemas/topology.schema.json): all problems at once, each with its place. Reads no other file:
// passwords and certificates are somebody else's.

import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { parseDuration } from "../base/duration.ts";
import { type Position, parseJsonFile } from "../base/json-file.ts";
import { joinPointer } from "../base/json-text.ts";
import type { Problem } from "../base/problem.ts";
import type { AccountConfig, Topology } from "./topology.ts";
import type { RawAccount, RawTopology, ReadingTools } from "./topology-file-format.ts";
import { readKeyspaces } from "./topology-keyspaces.ts";
import { readRules, readTarget } from "./topology-rules.ts";

/** A valid file, or all that is wrong with it. */
export type TopologyFileResult =
  | {
      readonly ok: true;
      readonly topology: Topology;
      readonly warnings: readonly Problem[];
      /** Where the value at a JSON pointer stands. */
      readonly positionOf: (pointer: string) => Position;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const schema = createRequire(import.meta.url)("../../schemas/topology.schema.json") as object;

/** Parses and validates the text of a topology file. Never throws for what the file holds. */
export function parseTopologyFile(request: {
  readonly text: string | Uint8Array;
  /** Relative paths in the file count from its folder. */
  readonly path: string;
}): TopologyFileResult {
  const { path } = request;
  const parsed = parseJsonFile({ text: request.text, path, schema });
  if (!parsed.ok) return { ok: false, problems: parsed.problems };
  const place = (list: Problem[]) => (pointer: string, message: string) =>
    void list.push({ path, ...parsed.positionOf(pointer), pointer, message });
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const tools: ReadingTools = {
    complain: place(problems),
    warn: place(warnings),
    pathOf: (written) => resolve(dirname(path), written),
    // The schema has seen to it that it is one.
    durationOf: (text) => parseDuration(text) ?? 0,
  };
  const topology = read(parsed.value as RawTopology, tools);
  const byPlace = (a: Problem, b: Problem) => a.line - b.line || a.column - b.column;
  if (problems.length > 0) return { ok: false, problems: problems.sort(byPlace) };
  return { ok: true, topology, warnings: warnings.sort(byPlace), positionOf: parsed.positionOf };
}

function read(raw: RawTopology, tools: ReadingTools): Topology {
  const keyspaces = readKeyspaces(raw.keyspaces, tools);
  const { accounts } = raw;
  const byUserData = Object.entries(accounts.by_user_data ?? {}).map(([key, account]) => {
    const pointer = joinPointer("/accounts/by_user_data", key);
    return [key, readAccount(key, account, pointer, tools)] as const;
  });
  return {
    keyspaces,
    accounts: {
      default: readAccount("default", accounts.default, "/accounts/default", tools),
      monitor:
        accounts.monitor === undefined
          ? null
          : readAccount("monitor", accounts.monitor, "/accounts/monitor", tools),
      byUserData: new Map(byUserData),
    },
    rules: readRules(raw.routing_rules ?? [], keyspaces, tools),
    defaultTarget:
      raw.default_target === undefined
        ? null
        : readTarget(raw.default_target, "/default_target", keyspaces, tools),
  };
}

/** Names that metrics and logs use for the two accounts that have a role. */
const namesOfRoles: ReadonlySet<string> = new Set(["default", "monitor"]);

function readAccount(
  name: string,
  raw: RawAccount,
  pointer: string,
  { complain, pathOf }: ReadingTools,
): AccountConfig {
  const { user, password_file: file, password_env: variable } = raw;
  if ((file === undefined) === (variable === undefined)) {
    complain(
      pointer,
      `Account ${JSON.stringify(name)} must have either 'password_file' or 'password_env': an account without a password is not used`,
    );
  }
  if (pointer.startsWith("/accounts/by_user_data/") && namesOfRoles.has(name)) {
    complain(
      pointer,
      `Key '${name}' of 'by_user_data' is the name of an account above: choose another UserData`,
    );
  }
  return {
    name,
    user,
    secret:
      file !== undefined ? { kind: "file", path: pathOf(file) } : { kind: "env", variable: variable ?? "" },
  };
}
