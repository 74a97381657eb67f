import { describe, expect, it } from "vitest";
import {
  decodeIntegerParameters,
  decodeStmtExecute,
  statementIdOf,
} from "../../../../src/wire/packets/stmt-execute.ts";
import { WireError } from "../../../../src/wire/reader.ts";
import { hex } from "../codec-table.ts";

const head = "17 07000000 01 01000000";

describe("statementIdOf()", () => {
  it.each<[string, number | null]>([
    ["19 feffffff", 0xfffffffe],
    ["1c 01000000 05000000", 1],
    ["19 010000", null],
    ["", null],
  ])("%s", (bytes, id) => {
    expect(statementIdOf(hex(bytes))).toBe(id);
  });
});

describe("decodeStmtExecute()", () => {
  it("reads the head of a statement without parameters", () => {
    expect(decodeStmtExecute(hex(head), 0)).toMatchObject({
      statementId: 7,
      flags: 1,
      iterations: 1,
      parameterTypes: null,
      valuesOffset: 10,
    });
  });

  it("finds the types, where they are sent", () => {
    const sent = decodeStmtExecute(hex(`${head} 0000 01 ${"0800".repeat(9)} ff`), 9);
    expect(Buffer.from(sent.parameterTypes ?? []).toString("hex")).toBe("0800".repeat(9));
    expect(sent.valuesOffset).toBe(10 + 2 + 1 + 18);
    const held = decodeStmtExecute(hex(`${head} 01 00 ff`), 1);
    expect(held.parameterTypes).toBeNull();
    expect([...held.nullBitmap]).toEqual([1]);
    expect(held.valuesOffset).toBe(12);
  });

  it("refuses every length that ends before the values", () => {
    const bytes = hex(`${head} 00 01 0800 0300`);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeStmtExecute(bytes.subarray(0, length), 2), `${length} bytes`).toThrow(WireError);
    }
    expect(decodeStmtExecute(bytes, 2).valuesOffset).toBe(bytes.length);
  });

  it("refuses another command", () => {
    expect(() => decodeStmtExecute(hex("16 07000000 01 01000000"), 0)).toThrow(WireError);
  });
});

describe("decodeIntegerParameters()", () => {
  it.each<[string, string, number, (number | null)[]]>([
    ["a LONGLONG", "00 01 0800 2a00000000000000", 1, [42]],
    ["a negative LONGLONG", "00 01 0800 ffffffffffffffff", 1, [null]],
    ["the largest unsigned LONGLONG", "00 01 0880 ffffffffffffffff", 1, [null]],
    ["an unsigned LONG", "00 01 0380 ffffffff", 1, [0xffffffff]],
    ["a negative LONG", "00 01 0300 ffffffff", 1, [null]],
    ["a SHORT and a TINY", "00 01 0200 0100 0100 05", 2, [1, 5]],
    ["a text", "00 01 fd00 023432", 1, [42]],
    ["a text that is no number", "00 01 fd00 022d31", 1, [null]],
    ["NULL by bitmap, then a number", "01 01 0800 0800 0100000000000000", 2, [null, 1]],
    ["NULL by type", "00 01 0600", 1, [null]],
    [
      "a double, behind which nothing is known",
      "00 01 0500 0800 0000000000000000 0100000000000000",
      2,
      [null, null],
    ],
    ["no types", "00 00 2a00000000000000", 1, [null]],
    ["a value cut short", "00 01 0800 2a", 1, [null]],
    ["nothing", "", 1, [null]],
  ])("%s", (_, bytes, count, expected) => {
    expect(decodeIntegerParameters(hex(head + bytes), count)).toEqual(expected);
  });
});
