import { describe, expect, it } from "vitest";
import { RowEditor } from "../../../src/session/row-editor.ts";
import { COM_QUERY } from "../../../src/wire/commands.ts";
import {
  COLLATION_BINARY,
  type ColumnDefinition,
  encodeColumnDefinition,
  MYSQL_TYPE_VAR_STRING,
} from "../../../src/wire/packets/column-definition.ts";
import { encodeEof } from "../../../src/wire/packets/eof.ts";
import { WireError } from "../../../src/wire/reader.ts";
import { toFrames } from "../../support/raw/frame-reader.ts";

const definition = (name: string): Buffer =>
  encodeColumnDefinition({
    name,
    collation: COLLATION_BINARY,
    length: 10,
    type: MYSQL_TYPE_VAR_STRING,
    flags: 0,
    decimals: 0,
  });
const row = (...values: string[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)])));
const eof = (more = false): Buffer => encodeEof({ warnings: 0, statusFlags: more ? 2 + 8 : 2 });

/** Frames of one reply; packets longer than a frame may be given in parts. */
function reply(...packets: Buffer[]): Buffer {
  return Buffer.concat(packets.map((packet, index) => toFrames(packet, index + 1)));
}

const upper = ([first]: readonly ColumnDefinition[]) =>
  first?.name === "edited"
    ? {
        column: 0,
        widths: [],
        tell: ([value]: readonly (Buffer | null)[]) => Buffer.from(`${value}-${value}`),
      }
    : null;

function edited(bytes: Buffer, size: number): Buffer {
  const editor = new RowEditor(upper, COM_QUERY, 0);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(editor.push(bytes.subarray(at, at + size)));
  return Buffer.concat(parts);
}

describe("RowEditor", () => {
  const result = (name: string, more: boolean, ...values: string[]): Buffer[] => [
    Buffer.of(1),
    definition(name),
    eof(),
    ...values.map((value) => row(value)),
    eof(more),
  ];
  const whole = reply(
    ...result("other", true, "a"),
    Buffer.from([0, 0, 0, 2 + 8, 0, 0, 0]),
    ...result("edited", true, "b", "c"),
    ...result("other", false, "edited"),
  );
  const expected = reply(
    ...result("other", true, "a"),
    Buffer.from([0, 0, 0, 2 + 8, 0, 0, 0]),
    ...result("edited", true, "b-b", "c-c"),
    ...result("other", false, "edited"),
  );

  it("changes rows of the results that are meant, wherever the bytes are cut", () => {
    for (const size of [1, 2, 3, 5, 7, 64, whole.length]) expect(edited(whole, size)).toEqual(expected);
  });

  it("lets an error among the results pass, and what follows an end", () => {
    const failed = reply(
      ...result("edited", true, "b"),
      Buffer.from("\u00ff\u0010\u0004#HY000bad", "latin1"),
    );
    expect(edited(failed, 3)).toEqual(
      reply(...result("edited", true, "b-b"), Buffer.from("\u00ff\u0010\u0004#HY000bad", "latin1")),
    );
  });

  it("does not keep rows that it leaves alone, of any length", () => {
    const editor = new RowEditor(upper, COM_QUERY, 0);
    editor.push(reply(Buffer.of(1), definition("other"), eof()));
    const head = Buffer.from([0xff, 0xff, 0xff, 4, 0xfd]);
    expect(editor.push(head).length).toBe(head.length);
    const rest = Buffer.alloc(0xffffff - 1, 0xfe);
    expect(editor.push(rest).length).toBe(rest.length);
    const continued = Buffer.from([5, 0, 0, 5, 0xfe, 0, 0, 0, 0]);
    expect(editor.push(continued)).toEqual(continued);
    const end = toFrames(eof(), 6);
    expect(editor.push(end)).toEqual(end);
  });

  it("refuses rows that make no sense", () => {
    const editor = new RowEditor(upper, COM_QUERY, 0);
    editor.push(reply(Buffer.of(1), definition("edited"), eof()));
    expect(() => editor.push(toFrames(Buffer.from([9, 1]), 4))).toThrow(WireError);
    const other = new RowEditor(upper, COM_QUERY, 0);
    expect(() => other.push(Buffer.from([0xff, 0xff, 0xff, 1, 1]))).toThrow(WireError);
  });

  it("lets a row pass that is too long to be one of them", () => {
    const editor = new RowEditor(upper, COM_QUERY, 0);
    editor.push(reply(Buffer.of(1), definition("edited"), eof()));
    const long = toFrames(row("b".repeat(200)), 4);
    long.writeUIntLE(0x200000, 0, 3);
    expect(editor.push(long)).toEqual(long);
  });
});
