// The routing rules of a topology file, and what they refer to.

import { nearestName } from "../base/nearest-name.ts";
import { parseTarget, type TabletType, type Target, tabletTypes } from "./target.ts";
import type { KeyspaceConfig, RoutingRule } from "./topology.ts";
import type { RawRule, ReadingTools } from "./topology-file-format.ts";

type Keyspaces = ReadonlyMap<string, KeyspaceConfig>;

/** Reads a target of the file; null: it names nothing that is there. */
export function readTarget(
  text: string,
  pointer: string,
  keyspaces: Keyspaces,
  { complain }: ReadingTools,
): (Target & { readonly keyspace: string }) | null {
  const target = parseTarget(text);
  const quoted = JSON.stringify(text);
  if (target === null) {
    complain(pointer, `Target ${quoted} must end with a tablet type behind '@': ${tabletTypes.join(", ")}`);
    return null;
  }
  const { keyspace } = target;
  if (keyspace === null) {
    complain(pointer, `Target ${quoted} must name a keyspace`);
    return null;
  }
  if (keyspaces.has(keyspace)) return { keyspace, tabletType: target.tabletType };
  const nearest = nearestName(keyspace, keyspaces.keys());
  const hint = nearest === null ? "" : `: did you mean ${JSON.stringify(nearest)}?`;
  complain(pointer, `There is no keyspace ${JSON.stringify(keyspace)}${hint}`);
  return null;
}

/** Reads all rules. */
export function readRules(
  raw: readonly RawRule[],
  keyspaces: Keyspaces,
  tools: ReadingTools,
): readonly RoutingRule[] {
  const rules: RoutingRule[] = [];
  for (const [index, rule] of raw.entries()) {
    const read = readRule(rule, `/routing_rules/${index}`, keyspaces, tools);
    if (read === null) continue;
    const earlier = rules.findIndex((before) => covers(before, read));
    if (earlier >= 0)
      tools.warn(
        `/routing_rules/${index}`,
        `This rule decides nothing: the rule before it, number ${earlier + 1}, is for everybody`,
      );
    rules.push(read);
  }
  return rules;
}

function covers(before: RoutingRule, rule: RoutingRule): boolean {
  return before.userData.includes("%") && before.target.keyspace === rule.target.keyspace;
}

function readRule(
  raw: RawRule,
  pointer: string,
  keyspaces: Keyspaces,
  tools: ReadingTools,
): RoutingRule | null {
  const { complain, durationOf } = tools;
  if (raw.user_data === undefined && raw.groups === undefined)
    complain(pointer, `A rule must say whom it is for: 'user_data' or 'groups' ("%" is everybody)`);
  for (const key of ["user_data", "groups"] as const) {
    for (const [index, name] of (raw[key] ?? []).entries()) {
      if (name.slice(0, -1).includes("%"))
        complain(`${pointer}/${key}/${index}`, `Name ${JSON.stringify(name)} may have '%' at its end only`);
    }
  }
  const target = readTarget(raw.target, `${pointer}/target`, keyspaces, tools);
  const reads = readReads(raw, target, pointer, keyspaces, tools);
  if (raw.read_your_writes !== undefined && raw.reads === undefined)
    complain(`${pointer}/read_your_writes`, "Key 'read_your_writes' has no effect without 'reads'");
  if (target === null) return null;
  return {
    userData: raw.user_data ?? [],
    groups: raw.groups ?? [],
    target,
    reads,
    readYourWritesMs: raw.read_your_writes === undefined ? null : durationOf(raw.read_your_writes),
  };
}

function readReads(
  raw: RawRule,
  target: Target | null,
  pointer: string,
  keyspaces: Keyspaces,
  tools: ReadingTools,
): TabletType | null {
  if (raw.reads === undefined) return null;
  const { complain } = tools;
  const at = `${pointer}/reads`;
  const reads = readTarget(raw.reads, at, keyspaces, tools);
  if (reads === null || target === null) return null;
  if (reads.keyspace !== target.keyspace)
    complain(at, `Target ${JSON.stringify(raw.reads)} must be of the keyspace that 'target' names`);
  if (reads.tabletType === null || reads.tabletType === "primary")
    complain(at, `Target ${JSON.stringify(raw.reads)} must end with '@replica' or '@rdonly'`);
  if (target.tabletType === "replica" || target.tabletType === "rdonly")
    complain(at, "Key 'reads' has no effect: 'target' is where all statements of these clients go");
  return reads.tabletType;
}
