// One entry of a table ACL as written: `orders`, `tmp_%`, `shop.orders`, `shop.%`. `%` stands at the end only and `_` for
// itself; backticks take any character literally.

import { objectNameDoubt } from "../sql/object-name.ts";

/** A parsed entry. */
export interface NamePattern {
  /** As written. */
  readonly text: string;
  /** null: unqualified, holds for every schema but the system schemas. */
  readonly schema: string | null;
  /** The name, or the prefix without its `%`; empty for `%`. */
  readonly name: string;
  readonly isPrefix: boolean;
}

/** Parses an entry. A string in answer is the sentence about what is wrong with it, to follow the entry's place. */
export function parseNamePattern(text: string): NamePattern | string {
  const parts: Part[] = [];
  let offset = 0;
  for (;;) {
    const part = readPart(text, offset);
    if (typeof part === "string") return part;
    parts.push(part);
    offset = part.end;
    if (offset >= text.length) break;
    if (text[offset] !== ".") return "must have nothing but a dot after its closing backtick";
    offset += 1;
    if (parts.length === 2) {
      return "must be a name or a schema and a name: a name that holds a dot is written in backticks";
    }
  }
  const last = parts[parts.length - 1];
  const schema = parts.length === 2 ? parts[0] : undefined;
  if (last === undefined) return "must not be empty";
  if (schema?.isPrefix === true) return "must not have '%' in the schema: '%' stands at the end only";
  for (const part of parts) {
    if (part.value === "" && part.isPrefix) continue;
    const doubt = objectNameDoubt(part.value);
    if (doubt !== null) return `cannot be compared as servers do: ${doubt}`;
  }
  return { text, schema: schema?.value ?? null, name: last.value, isPrefix: last.isPrefix };
}

interface Part {
  readonly value: string;
  readonly isPrefix: boolean;
  readonly end: number;
}

function readPart(text: string, start: number): Part | string {
  if (text[start] === "`") return readQuotedPart(text, start);
  const dot = text.indexOf(".", start);
  const end = dot === -1 ? text.length : dot;
  const raw = text.slice(start, end);
  if (raw.includes("`")) return "must have backticks around a whole name";
  if (raw !== raw.trim()) return "must not have white space around a name";
  if (raw === "*") return "must not be '*': every name is '%'";
  const percent = raw.indexOf("%");
  if (percent !== -1 && percent !== raw.length - 1) {
    return "must have '%' at the end only: a name that holds '%' is written in backticks";
  }
  if (raw === "") return "must not have an empty name";
  return { value: percent === -1 ? raw : raw.slice(0, -1), isPrefix: percent !== -1, end };
}

function readQuotedPart(text: string, start: number): Part | string {
  let value = "";
  let offset = start + 1;
  for (;;) {
    const close = text.indexOf("`", offset);
    if (close === -1) return "must close its backtick";
    value += text.slice(offset, close);
    offset = close + 1;
    if (text[offset] !== "`") break;
    value += "`";
    offset += 1;
  }
  const isPrefix = text[offset] === "%";
  return { value, isPrefix, end: isPrefix ? offset + 1 : offset };
}
