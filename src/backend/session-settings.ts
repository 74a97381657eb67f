// What a session has set beyond what its login gave, as far as it can be set again on another connection: THE table of
// variables that follow a session, the record of their values, and the words that lead from one record to another.
// Everything else that a SET touches pins the session to its connection.
// https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html

import type { ServerFacts } from "./backend-connection.ts";

/** Immutable. Two records with the same `key` are the same settings. */
export interface SessionSettings {
  readonly key: string;
  /** Elements of SET that change character sets, in the order in which they have to be said. */
  readonly names: readonly string[];
  readonly namesKey: string;
  /** By name as in {@link followingVariables}: the value, written as SET takes it. */
  readonly variables: ReadonlyMap<string, string>;
}

/** A server to which a SET is said; `ignoreSpace`: the login asked for IGNORE_SPACE. */
export interface SettingServer extends Pick<ServerFacts, "flavour" | "versionNumber"> {
  readonly ignoreSpace: boolean;
}

/** Nothing was set. */
export const noSettings: SessionSettings = { key: "\n", names: [], namesKey: "", variables: new Map() };

/**
 * Variables of a session that can be set to a literal and back to DEFAULT at any time without any other effect, on the
 * servers that know them. Tried on MySQL 9.7 and MariaDB 10.11: see test/e2e/backend/session-settings.test.ts.
 */
export const followingVariables: ReadonlySet<string> = new Set([
  "big_tables",
  "cte_max_recursion_depth",
  "default_week_format",
  "div_precision_increment",
  "eq_range_index_dive_limit",
  "foreign_key_checks",
  "group_concat_max_len",
  "idle_transaction_timeout",
  "innodb_lock_wait_timeout",
  "interactive_timeout",
  "join_buffer_size",
  "lc_time_names",
  "lock_wait_timeout",
  "long_query_time",
  "low_priority_updates",
  "max_error_count",
  "max_execution_time",
  "max_heap_table_size",
  "max_join_size",
  "max_length_for_sort_data",
  "max_seeks_for_key",
  "max_sort_length",
  "max_statement_time",
  "min_examined_row_limit",
  "net_read_timeout",
  "net_write_timeout",
  "optimizer_prune_level",
  "optimizer_search_depth",
  "read_buffer_size",
  "read_rnd_buffer_size",
  "sort_buffer_size",
  "sql_auto_is_null",
  "sql_big_selects",
  "sql_buffer_result",
  "sql_mode",
  "sql_notes",
  "sql_quote_show_create",
  "sql_safe_updates",
  "sql_select_limit",
  "sql_warnings",
  "time_zone",
  "tmp_table_size",
  "transaction_isolation",
  "transaction_read_only",
  "unique_checks",
  "updatable_views_with_limit",
  "wait_timeout",
]);

/** DEFAULT does not mean the global value there, on MySQL 9.7. */
const strangeDefaults: ReadonlySet<string> = new Set(["foreign_key_checks", "unique_checks"]);

/** Names that mean a variable of the table. */
const synonyms: ReadonlyMap<string, string> = new Map([
  ["tx_isolation", "transaction_isolation"],
  ["tx_read_only", "transaction_read_only"],
]);

/** Character sets of a session; they are said in order, since some follow from others. */
const nameVariables: ReadonlySet<string> = new Set([
  "character_set_client",
  "character_set_results",
  "character_set_connection",
  "collation_connection",
]);

/** A longer value is not kept, in characters. */
const valueLengthMax = 512;
/** More elements about character sets than this are not kept. */
const nameElementsMax = 8;

/**
 * The settings after `SET name = value`; `value` null: DEFAULT. null: this cannot be set again elsewhere.
 * `value` is the literal's meaning, without quotes.
 */
export function withVariable(
  settings: SessionSettings,
  name: string,
  value: string | null,
): SessionSettings | null {
  const known = synonyms.get(name) ?? name;
  const written = value === null ? "DEFAULT" : writeValue(known, value);
  if (written === null) return null;
  if (nameVariables.has(known)) return withNameElement(settings, `${known}=`, `${known}=${written}`);
  if (!followingVariables.has(known)) return null;
  if (value === null && strangeDefaults.has(known)) return null;
  const variables = new Map(settings.variables);
  // The login may have asked for IGNORE_SPACE, which DEFAULT does not give.
  if (value === null && known !== "sql_mode") variables.delete(known);
  else variables.set(known, written);
  return makeSettings(settings.names, variables);
}

/** Whether a variable that was set to an expression follows the session as soon as its value is known. */
export function mayBeAskedFor(name: string): boolean {
  return followingVariables.has(synonyms.get(name) ?? name);
}

/** The settings after SET NAMES; `collation` null: the character set's own. null: this cannot be set again elsewhere. */
export function withNames(
  settings: SessionSettings,
  characterSet: string,
  collation: string | null,
): SessionSettings | null {
  if (!isWord(characterSet) || (collation !== null && !isWord(collation))) return null;
  const element = collation === null ? `NAMES ${characterSet}` : `NAMES ${characterSet} COLLATE ${collation}`;
  return makeSettings([element], settings.variables);
}

/** The settings with character sets as the server has them without a login's wish: what MySQL's reset leaves behind. */
export const serverNames: SessionSettings = makeSettings(
  ["character_set_client=DEFAULT", "character_set_results=DEFAULT", "collation_connection=DEFAULT"],
  new Map(),
);

/** The same for settings under which every text is read in the same way. */
export function readingKeyOf({ namesKey, variables }: SessionSettings): string {
  return `${namesKey} ${variables.get("sql_mode") ?? ""}`;
}

/**
 * Elements of a SET after which texts are read as under `to`, where they are read as under `from`. How results come is
 * left as it is, or as under `to`. `login`: the character sets that both began with.
 */
export function readingElements(
  from: SessionSettings,
  to: SessionSettings,
  login: { readonly client: string; readonly collation: string },
  server: SettingServer,
): string[] {
  const names = from.namesKey === to.namesKey ? [] : namesOfReading(to, login);
  return [...names, ...settingElements(modeOf(from), modeOf(to), server)];
}

function namesOfReading(
  { names }: SessionSettings,
  login: { readonly client: string; readonly collation: string },
): readonly string[] {
  // Only NAMES finds the collation that a character set has by default: see MariaDB's character_set_collations.
  if (names[0]?.startsWith("NAMES ") === true) return names;
  const own = names.filter((element) => !element.startsWith("character_set_results="));
  return [`character_set_client=${login.client}`, `collation_connection=${login.collation}`, ...own];
}

function modeOf({ variables }: SessionSettings): SessionSettings {
  const mode = variables.get("sql_mode");
  return makeSettings([], new Map(mode === undefined ? [] : [["sql_mode", mode]]));
}

/** Whether its words say everything about character sets, whatever they were before. */
export function setsAllNames({ names }: SessionSettings): boolean {
  if (names[0]?.startsWith("NAMES ") === true) return true;
  return ["client=", "results=", "connection="].every((end) => names.some((name) => name.includes(end)));
}

function withNameElement(settings: SessionSettings, start: string, element: string): SessionSettings | null {
  const names = settings.names.filter((one) => !one.startsWith(start));
  if (names.length >= nameElementsMax) return null;
  return makeSettings([...names, element], settings.variables);
}

function makeSettings(names: readonly string[], variables: ReadonlyMap<string, string>): SessionSettings {
  const namesKey = names.join(",");
  const sorted = [...variables].sort(([left], [right]) => (left < right ? -1 : 1));
  const key = `${namesKey}\n${sorted.map(([name, value]) => `${name}=${value}`).join(",")}`;
  return { key, names, namesKey, variables };
}

/**
 * Elements of a SET that lead from one record to the other; character sets, where they differ, must have been set back to
 * those of the login before. `ignoreSpace`: the login asked for it. Empty: nothing differs.
 */
export function settingElements(from: SessionSettings, to: SessionSettings, server: SettingServer): string[] {
  if (from.key === to.key) return [];
  const elements = from.namesKey === to.namesKey ? [] : [...to.names];
  for (const name of from.variables.keys()) {
    // Not DEFAULT: MySQL 9.7 leaves foreign_key_checks and unique_checks as they are then.
    const on = nameOn(server, name);
    if (to.variables.has(name)) continue;
    const atLogin =
      name === "sql_mode" && server.ignoreSpace
        ? `CONCAT(@@GLOBAL.${on}, ',IGNORE_SPACE')`
        : `@@GLOBAL.${on}`;
    elements.push(`SESSION ${on}=${atLogin}`);
  }
  for (const [name, value] of to.variables) {
    if (from.variables.get(name) !== value) elements.push(`SESSION ${nameOn(server, name)}=${value}`);
  }
  return elements;
}

/** What a server calls a variable of {@link followingVariables}. */
export function nameOn(
  { flavour, versionNumber }: Pick<SettingServer, "flavour" | "versionNumber">,
  name: string,
): string {
  // MariaDB took the new names over in 11.1, and warns of the old ones since.
  if (flavour === "mysql" || versionNumber >= 110_100) return name;
  return name.replace(/^transaction_(isolation|read_only)$/, "tx_$1");
}

const numberPattern = /^-?\d{1,20}(\.\d{1,10})?$/;
/** Nothing in it means anything else under another sql_mode or character set. */
const textPattern = /^[A-Za-z0-9_+:/.,@ -]*$/;

/** The value as SET takes it, whatever sql_mode and character set are in force; null: not in that way. */
function writeValue(name: string, value: string): string | null {
  if (value.length > valueLengthMax) return null;
  // Our own questions to the server must have their one row.
  if (name === "sql_select_limit" && /^0*$/.test(value)) return null;
  if (numberPattern.test(value)) return value;
  if (/^true$/i.test(value)) return "1";
  if (/^false$/i.test(value)) return "0";
  if (name === "character_set_results" && /^null$/i.test(value)) return "NULL";
  return textPattern.test(value) ? `'${value}'` : null;
}

function isWord(name: string): boolean {
  return /^[A-Za-z0-9_]{1,64}$/.test(name);
}
