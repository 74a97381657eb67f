// Contexts and names for the tests of this folder.
import type { AnalysisContext } from "../../../src/sql/analyzed-text.ts";
import { type Flavour, readingModesOf } from "../../../src/sql/dialect.ts";

/** A context of MySQL 9.7.4 or MariaDB 10.11.19, UTF-8, without a default schema. */
export function contextOf(
  flavour: Flavour,
  changes: Partial<AnalysisContext> & { readonly mode?: string } = {},
): AnalysisContext {
  const { mode, ...rest } = changes;
  return {
    modes: readingModesOf(mode ?? ""),
    flavour,
    version: flavour === "mysql" ? 90_704 : 101_119,
    characterSet: "utf8",
    defaultSchema: null,
    lowerCaseTableNames: 0,
    ...rest,
  };
}

const quoted = (name: string) =>
  /^[\w$]+$/.test(name) && name !== "dual" ? name : `\`${name.replaceAll("`", "``")}\``;

/** `t1 db1.t2`, quoted where they are not plain words. */
export function shownNames(
  names: readonly { readonly schema: string | null; readonly name: string }[],
): string {
  return names
    .map(({ schema, name }) => (schema === null ? "" : `${quoted(schema)}.`) + quoted(name))
    .join(" ");
}
