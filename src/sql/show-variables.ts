// SHOW VARIABLES: where a server's own rows would not do, a query of the same rows is put in its place. MariaDB lacks the
// gateway's variables; a condition would be about the server's values
// (https://dev.mysql.com/doc/refman/8.4/en/show-variables.html).

import type { Analysis } from "./analysis.ts";
import { decodeString } from "./string-literal.ts";
import { TokenKind } from "./tokens.ts";

const ofNative = "mysql_native_password_proxy_users";
/** The gateway's own among a server's variables. */
const ownVariables = [
  "check_proxy_users",
  ofNative,
  "caching_sha2_password_proxy_users",
  "sha256_password_proxy_users",
];
/** From this version on MySQL may be without the plugin, and so without its variable. */
const nativeOptionalSince = 80_400;

/** Which of them the server may lack. */
function lacking(a: Analysis): readonly string[] {
  if (a.isMariaDb()) return ownVariables;
  return a.context.version >= nativeOptionalSince ? [ofNative] : [];
}

/** Notes SHOW [GLOBAL] VARIABLES from `head` on, its condition from `start` on, if it is to be replaced. */
export function noteShowVariables(a: Analysis, head: number, start: number, end: number): void {
  // In what is stored it is asked by others later.
  if (a.stored) return;
  const word = a.word(start);
  const condition = word === "LIKE" || word === "WHERE" ? word : null;
  if (condition !== "WHERE" && !lists(a, lacking(a), condition === null ? -1 : start + 1)) return;
  const global = a.word(head + 1) === "GLOBAL";
  a.noteToken("show_variables", head, start - 1, { global, condition, conditionEnd: a.tokens.end(end - 1) });
}

/** Whether the pattern at `at` matches any of the names; -1: there is no pattern. */
function lists(a: Analysis, names: readonly string[], at: number): boolean {
  if (names.length === 0) return false;
  if (at < 0 || a.kind(at) !== TokenKind.string) return true;
  const pattern = decodeString(a.tokens.slice(at), false);
  return pattern === null || names.some((name) => isLike(name, pattern.toLowerCase()));
}

/** Whether a name matches a pattern of LIKE with a backslash as its escape. In steps: both lengths multiplied, at most. */
export function isLike(name: string, pattern: string): boolean {
  let [at, place] = [0, 0];
  /** Where to go on when what follows the last % does not fit. */
  let again: { at: number; readonly place: number } | null = null;
  for (;;) {
    const here = pattern.charAt(place);
    if (here === "%") {
      place += 1;
      again = { at, place };
      continue;
    }
    const isEscape = here === "\\" && place + 1 < pattern.length;
    if (at === name.length && here === "") return true;
    const wanted = isEscape ? pattern.charAt(place + 1) : here;
    const fits =
      at < name.length && here !== "" && ((here === "_" && !isEscape) || wanted === name.charAt(at));
    if (fits) {
      at += 1;
      place += isEscape ? 2 : 1;
    } else if (again === null || again.at >= name.length) return false;
    else {
      again.at += 1;
      [at, place] = [again.at, again.place];
    }
  }
}
