// Splits a command line into flags and words by a flag table, with yargs (the only file that imports it). It knows
// tables, not what a flag means.

import yargs, { type Options } from "yargs";
import { nearestName } from "../base/nearest-name.ts";
import type { FlagTable } from "./flag-table.ts";

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
const universal = { help: "h", version: "V" } as const;

/** yargs does nothing beyond splitting: no numbers, no nested objects, no second spelling of a name. */
const parserConfiguration = {
  "parse-numbers": false,
  "parse-positional-numbers": false,
  "dot-notation": false,
  "camel-case-expansion": false,
  "boolean-negation": false,
  "short-option-groups": false,
  "duplicate-arguments-array": true,
  "flatten-duplicate-arrays": true,
  "greedy-arrays": false,
  "populate--": false,
} as const;

/**
 * Splits `argv` (without node and script). `--flag=value` and `--flag value` are the same, so are dashes and underscores
 * in names; a boolean without a value is true.
 * @throws UsageError for an unknown flag, a missing value, or a flag given twice.
 */
export function splitArguments(argv: readonly string[], table: FlagTable): Arguments {
  const parsed = parse(argv, table);
  const flags = new Map<string, string[]>();
  const known = [...Object.keys(universal), ...Object.keys(table)];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "_" || name === "$0" || value === undefined) continue;
    if (name === universal.help || name === universal.version) continue;
    if (!known.includes(name)) throw unknownFlag(name, known, table);
    if (Object.hasOwn(universal, name)) continue;
    flags.set(name, textsOf(name, value, table));
  }
  const { help, version } = parsed;
  return { help: help === true, version: version === true, words: parsed._.map(String), flags };
}

function parse(argv: readonly string[], table: FlagTable) {
  // Booleans are read as texts, because yargs takes any text but `true` for false without a word.
  const options: Record<string, Options> = {};
  for (const [name, definition] of Object.entries(table)) {
    options[name] = { type: "string", requiresArg: definition.type !== "boolean" };
  }
  for (const [name, alias] of Object.entries(universal)) options[name] = { type: "boolean", alias };
  return yargs(withBooleans(withUnderscores(argv), table))
    .help(false)
    .version(false)
    .parserConfiguration(parserConfiguration)
    .options(options)
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw missingValue(message, argv) ?? error ?? new UsageError(message ?? "Cannot read the arguments");
    })
    .parseSync();
}

function textsOf(name: string, value: unknown, table: FlagTable): string[] {
  const texts = (Array.isArray(value) ? value : [value]).map(String);
  if (texts.length > 1 && table[name]?.type !== "list") {
    throw new UsageError(`Flag --${name} is given ${texts.length} times: give it once`);
  }
  return texts;
}

function withUnderscores(argv: readonly string[]): string[] {
  const end = argv.indexOf("--");
  return argv.map((argument, index) =>
    end !== -1 && index >= end
      ? argument
      : argument.replace(/^--[^=]+/, (name) => `--${name.slice(2).replaceAll("-", "_")}`),
  );
}

/** A boolean takes no word that is not its value: `--proxy_protocol check` leaves the word alone. */
function withBooleans(argv: readonly string[], table: FlagTable): string[] {
  const result: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? "";
    if (argument === "--") return [...result, ...argv.slice(index)];
    const isBoolean = argument.startsWith("--") && table[argument.slice(2)]?.type === "boolean";
    const next = argv[index + 1];
    if (!isBoolean) {
      result.push(argument);
    } else if (next === "true" || next === "false") {
      result.push(`${argument}=${next}`);
      index += 1;
    } else {
      result.push(`${argument}=true`);
    }
  }
  return result;
}

/** yargs tells it in words: `Not enough arguments following: name`. */
function missingValue(message: string | null, argv: readonly string[]): UsageError | null {
  const name = /^Not enough arguments following: (\S+)$/.exec(message ?? "")?.[1];
  if (name === undefined) return null;
  const written = withUnderscores(argv);
  const after = written[written.indexOf(`--${name}`) + 1];
  return after?.startsWith("--")
    ? new UsageError(`Flag --${name} needs a value, found the flag ${after.split("=", 1)[0]} after it`)
    : new UsageError(`Flag --${name} needs a value: write --${name}=VALUE`);
}

function unknownFlag(name: string, known: readonly string[], table: FlagTable): UsageError {
  const negated = /^no_(.+)$/.exec(name)?.[1] ?? "";
  if (table[negated]?.type === "boolean") {
    return new UsageError(`Unknown flag --${name}: write --${negated}=false`);
  }
  const nearest = nearestName(name, known);
  const hint = nearest === null ? "--help lists all flags" : `did you mean --${nearest}?`;
  return new UsageError(`Unknown flag ${name.length === 1 ? "-" : "--"}${name}: ${hint}`);
}
