// Writes --help from the tables: flags by group with their defaults, wrapped to the terminal.

import type { FlagDefinition, FlagTable } from "./flag-table.ts";

/** What a command's help shows beside its flags. */
export interface HelpTexts {
  /** `gatehouse [serve] [flags]` */
  readonly usage: string;
  /** Sentences, one paragraph each. */
  readonly about: readonly string[];
}

const indent = " ".repeat(6);

/** The help of one command; `width` in columns. */
export function formatHelp(texts: HelpTexts, table: FlagTable, width: number): string {
  const lines = [`Usage: ${texts.usage}`, ""];
  for (const paragraph of texts.about) lines.push(...wrapped(paragraph, width, ""), "");
  const groups = new Map<string, [string, FlagDefinition][]>();
  for (const [name, definition] of Object.entries(table)) {
    groups.set(definition.group, [...(groups.get(definition.group) ?? []), [name, definition]]);
  }
  for (const [group, flags] of groups) {
    lines.push(`${group}:`);
    for (const [name, definition] of flags) {
      lines.push(`  --${name}=${placeholder(definition)}${defaultText(definition)}`);
      lines.push(...wrapped(definition.help, width, indent));
    }
    lines.push("");
  }
  lines.push(
    "Other:",
    "  --help, -h",
    `${indent}Show this help`,
    "  --version, -V",
    `${indent}Show the version`,
  );
  return lines.join("\n");
}

/** What stands for the value: `PORT`, `true|false`, `DURATION`. */
export function placeholder(definition: FlagDefinition): string {
  switch (definition.type) {
    case "choice":
      return (definition.choices ?? []).join("|");
    case "boolean":
      return "true|false";
    case "integer":
    case "fraction":
      return "NUMBER";
    case "list":
      return "ITEM,...";
    default:
      return definition.type.toUpperCase();
  }
}

function defaultText(definition: FlagDefinition): string {
  return definition.default === null ? "" : `  (default ${definition.default})`;
}

function wrapped(text: string, width: number, prefix: string): string[] {
  const lines: string[] = [];
  let line = prefix;
  for (const word of text.split(" ")) {
    if (line.length > prefix.length && line.length + 1 + word.length > width) {
      lines.push(line);
      line = prefix;
    }
    line += line.length > prefix.length ? ` ${word}` : word;
  }
  lines.push(line);
  return lines;
}
