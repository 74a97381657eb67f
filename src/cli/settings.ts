// Gathers the values of all flags: command line over environment over --config_file over default. Every mistake is
// reported at once, with where it was made.

import { readFileSync } from "node:fs";
import { fileFailure } from "../base/file-content.ts";
import { type JsonFileResult, parseJsonFile } from "../base/json-file.ts";
import { nearestName } from "../base/nearest-name.ts";
import { formatProblem } from "../base/problem.ts";
import { UsageError } from "./arguments.ts";
import type { FlagDefinition, FlagTable } from "./flag-table.ts";
import { type FlagValue, type FlagValues, parseFlagValue } from "./flag-values.ts";
import { environmentName } from "./flags.ts";

/** Where a value came from. */
export type SettingSource = "command line" | "environment" | "config file" | "default";

/** All values, where they came from, and what looks odd without being wrong. */
export interface Settings<Table extends FlagTable> {
  readonly values: FlagValues<Table>;
  /** Whether somebody set it, wherever. */
  readonly isSet: (name: keyof Table & string) => boolean;
  readonly sourceOf: (name: keyof Table & string) => SettingSource;
  readonly warnings: readonly string[];
}

/** Where settings are read from. */
export interface SettingSources {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

interface Candidate {
  readonly text: string;
  readonly source: SettingSource;
  /** For messages: `Flag --port`, `Environment variable GATEHOUSE_PORT`, `config.json:3:4: Key 'port'`. */
  readonly place: string;
}

/**
 * Reads every flag of `table`.
 * @throws UsageError with one line per mistake.
 */
export function gatherSettings<Table extends FlagTable>(
  table: Table,
  sources: SettingSources,
): Settings<Table> {
  const mistakes: string[] = [];
  const config = readConfig(table, sources, mistakes);
  const values: Record<string, FlagValue> = {};
  const origins = new Map<string, SettingSource>();
  for (const [name, definition] of Object.entries(table)) {
    const candidate = candidateFor(name, definition, sources, config);
    origins.set(name, candidate?.source ?? "default");
    if (candidate === null) {
      values[name] = definition.type === "list" ? [] : null;
      continue;
    }
    const parsed = parseFlagValue(definition, candidate.text);
    if (parsed.ok) values[name] = parsed.value;
    else mistakes.push(`${candidate.place} ${parsed.demand}`);
  }
  if (mistakes.length > 0) throw new UsageError(mistakes.join("\n"));
  return {
    values: values as FlagValues<Table>,
    isSet: (name) => (origins.get(name) ?? "default") !== "default",
    sourceOf: (name) => origins.get(name) ?? "default",
    warnings: oddEnvironment(table, sources.environment),
  };
}

function candidateFor(
  name: string,
  definition: FlagDefinition,
  sources: SettingSources,
  config: ReadonlyMap<string, Candidate>,
): Candidate | null {
  const texts = sources.flags.get(name);
  if (texts !== undefined) return { text: texts.join(","), source: "command line", place: `Flag --${name}` };
  const variable = environmentName(name);
  const fromEnvironment = sources.environment[variable];
  if (fromEnvironment !== undefined && !isServiceLink(definition, fromEnvironment)) {
    return { text: fromEnvironment, source: "environment", place: `Environment variable ${variable}` };
  }
  const fromConfig = config.get(name);
  if (fromConfig !== undefined) return fromConfig;
  if (definition.default === null) return null;
  return { text: definition.default, source: "default", place: `Default of --${name}` };
}

/**
 * Kubernetes gives every pod variables about every Service: one named "gatehouse" makes GATEHOUSE_PORT hold
 * `tcp://10.0.0.1:3306`, which is nobody's admin port.
 */
function isServiceLink(definition: FlagDefinition, text: string): boolean {
  return definition.type === "integer" && /^(tcp|udp|sctp):\/\//.test(text);
}

function readConfig(
  table: FlagTable,
  sources: SettingSources,
  mistakes: string[],
): ReadonlyMap<string, Candidate> {
  const found = new Map<string, Candidate>();
  const definition = table.config_file;
  if (definition === undefined) return found;
  const path = candidateFor("config_file", definition, sources, found)?.text;
  if (path === undefined || path.trim() === "") return found;
  const result = parseConfig(path, table, mistakes);
  if (result === null || !result.ok) return found;
  for (const [name, value] of Object.entries(result.value as Record<string, unknown>)) {
    if (name === "$schema") continue;
    const { line, column } = result.positionOf(`/${name}`);
    const text = Array.isArray(value) ? value.join(",") : String(value);
    found.set(name, { text, source: "config file", place: `${path}:${line}:${column}: Key '${name}'` });
  }
  return found;
}

function parseConfig(path: string, table: FlagTable, mistakes: string[]): JsonFileResult | null {
  let text: Uint8Array;
  try {
    text = readFileSync(path);
  } catch (error) {
    mistakes.push(`Cannot read the config file ${path}: ${fileFailure(error)}`);
    return null;
  }
  const result = parseJsonFile({ text, path, schema: configSchema(table) });
  if (!result.ok) mistakes.push(...result.problems.map(formatProblem));
  return result;
}

function configSchema(table: FlagTable): object {
  const properties: Record<string, object> = { $schema: { type: "string" } };
  for (const [name, definition] of Object.entries(table)) {
    if (name === "config_file") continue;
    properties[name] =
      definition.type === "list"
        ? { type: ["string", "array"], items: { type: "string" } }
        : definition.type === "boolean"
          ? { type: "boolean" }
          : definition.type === "integer"
            ? { type: "integer" }
            : definition.type === "size"
              ? { type: ["string", "integer"] }
              : { type: definition.type === "fraction" ? "number" : "string" };
  }
  return { type: "object", additionalProperties: false, properties };
}

function oddEnvironment(table: FlagTable, environment: SettingSources["environment"]): string[] {
  const known = Object.keys(table).map(environmentName);
  const warnings: string[] = [];
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith("GATEHOUSE_") || known.includes(variable)) continue;
    const nearest = nearestName(variable, known);
    if (nearest !== null) {
      warnings.push(`Environment variable ${variable} is unknown and ignored: did you mean ${nearest}?`);
    }
  }
  return warnings;
}
