// Turns the text of one flag into its value, or says in a sentence what it must be.

import { formatByteSize, parseByteSize } from "../base/byte-size.ts";
import { formatDuration, parseDuration } from "../base/duration.ts";
import { nearestName } from "../base/nearest-name.ts";
import type { FlagDefinition, FlagTable } from "./flag-table.ts";

/** A parsed value; null: no default and not given. */
export type FlagValue = string | number | boolean | readonly string[] | null;

type NumberType = "integer" | "fraction" | "duration" | "size";

type ValueOf<Definition extends FlagDefinition> = Definition["type"] extends NumberType
  ? number
  : Definition["type"] extends "boolean"
    ? boolean
    : Definition["type"] extends "list"
      ? readonly string[]
      : Definition extends { readonly choices: readonly (infer Choice)[] }
        ? Choice
        : string;

/** The values of a whole table, typed by it: null where a flag has no default. Lists are empty then. */
export type FlagValues<Table extends FlagTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly type: "list" }
    ? readonly string[]
    : Table[Name] extends { readonly default: null }
      ? ValueOf<Table[Name]> | null
      : ValueOf<Table[Name]>;
};

/** A value, or the predicate of a sentence: `must be ...`. */
export type ParsedValue =
  | { readonly ok: true; readonly value: FlagValue }
  | { readonly ok: false; readonly demand: string };

// The words that Go's flag parsing takes.
const trueWords = new Set(["true", "t", "1", "on", "yes"]);
const falseWords = new Set(["false", "f", "0", "off", "no"]);

/** Reads `text` as the value of a flag. The demand never quotes `text`: it may hold a password. */
export function parseFlagValue(definition: FlagDefinition, text: string): ParsedValue {
  if (text.trim() === "") return refused("must not be empty");
  if (text.includes("\0")) return refused("must not hold a NUL byte");
  switch (definition.type) {
    case "text":
    case "path":
      return { ok: true, value: text };
    case "list": {
      const items = text.split(",").map((item) => item.trim());
      return items.includes("") ? refused("must be a list without empty items") : { ok: true, value: items };
    }
    case "boolean": {
      const word = text.trim().toLowerCase();
      if (trueWords.has(word)) return { ok: true, value: true };
      return falseWords.has(word) ? { ok: true, value: false } : refused("must be true or false");
    }
    case "integer":
      return parseNumber(
        definition,
        /^[-+]?\d{1,15}$/.test(text) ? Number(text) : null,
        "a whole number",
        String,
      );
    case "fraction":
      return parseNumber(
        definition,
        /^(\d{1,3}(\.\d{0,15})?|\.\d{1,15})$/.test(text) ? Number(text) : null,
        "a number such as 0.25",
        String,
      );
    case "duration":
      return parseNumber(
        definition,
        parseDuration(text),
        "a duration such as 500ms, 10s or 1h30m",
        formatDuration,
      );
    case "size":
      return parseNumber(
        definition,
        parseByteSize(text),
        "a size such as 4096, 512KiB or 64MiB",
        formatByteSize,
      );
    case "choice": {
      const choices = definition.choices ?? [];
      const choice = choices.find((item) => item.toLowerCase() === text.toLowerCase());
      if (choice !== undefined) return { ok: true, value: choice };
      const nearest = nearestName(text, choices);
      const hint = nearest === null ? "" : ` (did you mean ${nearest}?)`;
      return refused(`must be one of ${choices.join(", ")}${hint}`);
    }
  }
}

function parseNumber(
  definition: FlagDefinition,
  value: number | null,
  what: string,
  format: (value: number) => string,
): ParsedValue {
  const { min, max } = definition;
  if (value === null) return refused(`must be ${what}`);
  if (min !== undefined && value < min) return refused(`must be at least ${format(min)}`);
  if (max !== undefined && value > max) return refused(`must be at most ${format(max)}`);
  return { ok: true, value };
}

function refused(demand: string): ParsedValue {
  return { ok: false, demand };
}
