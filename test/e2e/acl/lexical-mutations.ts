// Changes of a statement's text below its grammar: white space, comments, quoting, letter case, executable comments, tokens
// lost, doubled and put in. The first kinds leave the meaning alone; what the others make of it only a server can tell.
import type { Dice } from "./statement-generator.ts";

const token = /\s+|'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`|"(?:[^"\\]|""|\\.)*"|[A-Za-z_][\w$]*|\d[\w.]*|./gs;

function tokensOf(sql: string): string[] {
  return sql.match(token) ?? [];
}

const blanks = [" ", "\n", "\t", "  ", "/**/", " /* secret */ ", "-- x\n", "#x\n", "\r\n", "\v", "\f"];
const objectName = /^[tovnspm]_[rwa]*_$/;
const keyword = /^[A-Z]+$/i;

/** Rewrites white space, quotes, letter case; the statement means the same. */
export function disguise(sql: string, dice: Dice): string {
  return tokensOf(sql)
    .map((text, index) => {
      if (/^\s+$/.test(text)) return dice.once(3) && index > 0 ? dice.pick(blanks) : text;
      if (objectName.test(text) && dice.once(2)) return `\`${text}\``;
      if (keyword.test(text) && !/^x\d/.test(text) && dice.once(3))
        return dice.once(2) ? text.toLowerCase() : text;
      if (/^[(),]$/.test(text) && dice.once(4)) return ` ${text}${dice.pick(blanks)}`;
      return text;
    })
    .join("");
}

const openings = [
  "/*!",
  "/*! ",
  "/*!50000 ",
  "/*!40101",
  "/*!80000 ",
  "/*!99999 ",
  "/*!100100 ",
  "/*!999999 ",
  "/*M! ",
  "/*M!100000 ",
  "/*M!999999 ",
  "/*+ ",
];
const insertions = [
  " , t__ ",
  " FROM t__ ",
  " UNION SELECT a, b FROM t__ ",
  " JOIN t__ ",
  " (SELECT MAX(a) FROM t__) ",
  " , (TABLE t__) y ",
  ";",
  "'",
  '"',
  "`",
  "\\",
  "/*",
  "*/",
  "-- ",
  "--",
  "#",
  "(",
  ")",
  " FOR UPDATE ",
  " AS ",
  "\0",
  "\u00a0",
];

/** Breaks the text somewhere; it may mean anything, or nothing. */
export function disturb(sql: string, dice: Dice): string {
  const tokens = tokensOf(sql);
  const at = dice.below(tokens.length);
  switch (dice.below(6)) {
    case 0: {
      const length = 1 + dice.below(8);
      const inside = tokens.splice(at, length).join("");
      tokens.splice(at, 0, `${dice.pick(openings)}${inside}*/`);
      break;
    }
    case 1:
      tokens.splice(at, 1 + dice.below(2));
      break;
    case 2:
      tokens.splice(at, 0, tokens[dice.below(tokens.length)] ?? "");
      break;
    case 3: {
      const other = dice.below(tokens.length);
      const kept = tokens[at] ?? "";
      tokens[at] = tokens[other] ?? "";
      tokens[other] = kept;
      break;
    }
    case 4:
      tokens.splice(at, 0, `${dice.pick(openings)}${dice.pick(insertions)}*/`);
      break;
    default:
      tokens.splice(at, 0, dice.pick(insertions));
  }
  return tokens.join("");
}

/** Writes names in double quotes, as sql_mode ANSI_QUOTES reads them. */
export function ansiQuote(sql: string): string {
  return tokensOf(sql)
    .map((text) => (objectName.test(text) ? `"${text}"` : text))
    .join("");
}
