// Splits a command line into flags and words by a flag table. It knows tables, not what a flag means.
// Why node:util and no library: docs/decisions/2026-11-21-parsing-arguments.md.

import { parseArgs } from "node:util";
import { nearestName } from "../base/nearest-name.ts";
import type { FlagTable } from "./flags.ts";

/** A mistake of the person who typed; `message` is one sentence, or several lines of them. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** A command line, split. */
export interface Arguments {
  /** Sub-command and its words. */
  readonly words: readonly string[];
  /** Texts by flag name, with underscores; more than one only for lists. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly help: boolean;
  readonly version: boolean;
}

/** Flags that every command takes, beside its table. */
const universal = ["help", "version"] as const;

/**
 * Splits `argv` (without node and script). `--flag=value` and `--flag value` are the same, so are dashes and underscores
 * in names; a boolean takes its value only with `=`.
 * @throws UsageError for an unknown flag, a missing value, or a flag given twice.
 */
export function splitArguments(argv: readonly string[], table: FlagTable): Arguments {
  const options: Record<string, { type: "string" | "boolean"; short?: string }> = {
    help: { type: "boolean", short: "h" },
    version: { type: "boolean", short: "V" },
  };
  for (const [name, definition] of Object.entries(table)) {
    options[name] = { type: definition.type === "boolean" ? "boolean" : "string" };
  }
  const { tokens } = parseArgs({
    args: withUnderscores(argv),
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const flags = new Map<string, string[]>();
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    if (!Object.hasOwn(options, token.name)) throw unknownFlag(token.rawName, Object.keys(options));
    flags.set(token.name, [...(flags.get(token.name) ?? []), textOf(token, options[token.name]?.type)]);
  }
  for (const [name, texts] of flags) {
    if (texts.length > 1 && table[name]?.type !== "list") {
      throw new UsageError(`Flag --${name} is given ${texts.length} times: give it once`);
    }
  }
  const given = (name: (typeof universal)[number]): boolean => flags.delete(name);
  return { help: given("help"), version: given("version"), words, flags };
}

function withUnderscores(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  return argv.map((argument, index) =>
    end !== -1 && index >= end
      ? argument
      : argument.replace(/^--[^=]+/, (name) => `--${name.slice(2).replaceAll("-", "_")}`),
  );
}

function textOf(
  token: {
    readonly rawName: string;
    readonly value: string | undefined;
    readonly inlineValue: boolean | undefined;
  },
  type: "string" | "boolean" | undefined,
): string {
  const { rawName, value } = token;
  if (value === undefined) {
    if (type === "boolean") return "true";
    throw new UsageError(`Flag ${rawName} needs a value: write ${rawName}=VALUE`);
  }
  if (token.inlineValue === false && value.startsWith("--")) {
    throw new UsageError(`Flag ${rawName} needs a value, found the flag ${value.split("=", 1)[0]} after it`);
  }
  return value;
}

function unknownFlag(rawName: string, known: readonly string[]): UsageError {
  const nearest = nearestName(rawName.replace(/^--?/, ""), known);
  const hint = nearest === null ? "--help lists all flags" : `did you mean --${nearest}?`;
  return new UsageError(`Unknown flag ${rawName}: ${hint}`);
}
