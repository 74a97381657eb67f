// Changes one place of a JSON text that a person wrote and leaves the rest as it is: order, indentation, line ends. What
// is put in looks like its neighbours. The text must be valid: it is checked by whoever calls.

import { assert } from "./assert.ts";
import { joinPointer, type MemberOffsets, parseJsonText, splitPointer } from "./json-text.ts";

/** Puts `item` behind the last one of the list at `pointer`. @throws AssertionFailure when there is no such list */
export function appendItem(text: string, pointer: string, item: unknown): string {
  return append(text, pointer, [[null, item]]);
}

/** Puts members behind the last one of the object at `pointer`. @throws AssertionFailure when there is no such object */
export function addMembers(
  text: string,
  pointer: string,
  members: Iterable<readonly [key: string, value: unknown]>,
): string {
  return append(text, pointer, [...members]);
}

/** Takes out the item or member at `pointer`, with its comma. @throws AssertionFailure when there is none */
export function removeAt(text: string, pointer: string): string {
  const names = splitPointer(pointer);
  const name = names.pop() ?? "";
  const container = locate(
    text,
    names.reduce<string>((path, part) => joinPointer(path, part), ""),
  );
  const members = [...container.members.entries()];
  const index = members.findIndex(([other]) => other === name);
  const [, found] = members[index] ?? [];
  assert(found !== undefined, "the member to remove exists");
  const next = members[index + 1]?.[1];
  const previous = members[index - 1]?.[1];
  if (next !== undefined) return splice(text, found.key, next.key, "");
  if (previous !== undefined) return splice(text, previous.end, found.end, "");
  return splice(text, container.start + 1, container.end - 1, "");
}

/** Makes the value at `pointer` the only item of a list. @throws AssertionFailure when there is none */
export function wrapInList(text: string, pointer: string): string {
  const { start, end } = locate(text, pointer);
  return splice(text, start, end, `[${text.slice(start, end)}]`);
}

interface Container {
  /** Offset of the value, and the offset behind it. */
  readonly start: number;
  readonly end: number;
  /** Empty for a plain value. */
  readonly members: ReadonlyMap<string, MemberOffsets>;
}

function locate(text: string, pointer: string): Container {
  const parsed = parseJsonText(text, { recordOffsets: true });
  assert(parsed.value !== undefined && parsed.mistakes.length === 0, "the text is valid JSON");
  let value: unknown = parsed.value;
  let start = parsed.start;
  let end = text.trimEnd().length;
  for (const name of splitPointer(pointer)) {
    const member =
      typeof value === "object" && value !== null ? parsed.offsets.get(value)?.get(name) : undefined;
    assert(member !== undefined, "the pointer leads to a value");
    start = member.value;
    end = member.end;
    value = (value as Record<string, unknown>)[name];
  }
  const members = typeof value === "object" && value !== null ? parsed.offsets.get(value) : undefined;
  return { start, end, members: members ?? new Map() };
}

/** Keys are null for items of a list. */
function append(
  text: string,
  pointer: string,
  added: readonly (readonly [key: string | null, value: unknown])[],
): string {
  const [first] = added;
  if (first === undefined) return text;
  const container = locate(text, pointer);
  assert(text[container.start] === (first[0] === null ? "[" : "{"), "the container is of the right kind");
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const unit = /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
  const all = (separator: string, render: (value: unknown) => string): string =>
    added
      .map(([key, value]) => `${key === null ? "" : `${JSON.stringify(key)}: `}${render(value)}`)
      .join(separator);
  const last = [...container.members.values()].at(-1);
  if (last === undefined) {
    const outer = indentOf(text, container.start);
    if (!text.includes("\n")) {
      const inside = ` ${all(", ", (value) => onOneLine(value, true))} `;
      return splice(text, container.start + 1, container.end - 1, inside);
    }
    const begin = `${eol}${outer}${unit}`;
    const body = `${begin}${all(`,${begin}`, (value) => onLines(value, outer + unit, unit, eol))}${eol}${outer}`;
    return splice(text, container.start + 1, container.end - 1, body);
  }
  const sibling = text.slice(last.value, last.end);
  const ownLine = startsItsLine(text, last.key);
  const indent = ownLine === null ? indentOf(text, last.key) : ownLine;
  const inner = /\n([ \t]+)\S/.exec(sibling)?.[1] ?? "";
  const step = inner.startsWith(indent) && inner.length > indent.length ? inner.slice(indent.length) : unit;
  const isSpaced = /^[[{] /.test(sibling) || !/^[[{]\S/.test(sibling);
  const render = (value: unknown): string =>
    sibling.includes("\n") ? onLines(value, indent, step, eol) : onOneLine(value, isSpaced);
  const separator = ownLine === null ? ", " : `,${eol}${indent}`;
  return splice(text, last.end, last.end, `${separator}${all(separator, render)}`);
}

/** The white space in front of `offset`, when nothing else stands there on its line. */
function startsItsLine(text: string, offset: number): string | null {
  const before = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*$/.test(before) && text.lastIndexOf("\n", offset - 1) !== -1 ? before : null;
}

/** The white space that the line of `offset` begins with. */
function indentOf(text: string, offset: number): string {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function onLines(value: unknown, indent: string, unit: string, eol: string): string {
  return JSON.stringify(value, null, unit).replaceAll("\n", `${eol}${indent}`);
}

function onOneLine(value: unknown, spaced: boolean): string {
  const pad = spaced ? " " : "";
  if (Array.isArray(value)) {
    const holdsObjects = value.some((item) => typeof item === "object" && item !== null);
    const around = holdsObjects ? pad : "";
    return `[${around}${value.map((item) => onOneLine(item, spaced)).join(", ")}${around}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${onOneLine(item, spaced)}`,
  );
  return members.length === 0 ? "{}" : `{${pad}${members.join(", ")}${pad}}`;
}

function splice(text: string, start: number, end: number, replacement: string): string {
  return text.slice(0, start) + replacement + text.slice(end);
}
