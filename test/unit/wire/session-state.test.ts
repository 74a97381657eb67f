import { describe, expect, it } from "vitest";
import { decodeErr } from "../../../src/wire/packets/err.ts";
import { WireError } from "../../../src/wire/reader.ts";
import {
  decodeSessionState,
  encodeSchemaChange,
  rewriteErr,
  withoutSessionState,
} from "../../../src/wire/session-state.ts";
import { hex } from "./codec-table.ts";

describe("decodeSessionState()", () => {
  it.each<[string, string, object[]]>([
    ["nothing", "", []],
    ["a variable", "00 04 0161 0162", [{ kind: "variable", name: "a", value: "b" }]],
    [
      "two variables in one block",
      "00 08 0161 0162 0163 0164",
      [
        { kind: "variable", name: "a", value: "b" },
        { kind: "variable", name: "c", value: "d" },
      ],
    ],
    ["a schema", "01 05 0473686f70", [{ kind: "schema", name: "shop" }]],
    ["a state change", "02 01 31", [{ kind: "state", changed: true }]],
    ["no state change", "02 01 30", [{ kind: "state", changed: false }]],
    ["GTIDs", "03 04 00 02612d", [{ kind: "gtids", gtids: "a-" }]],
    [
      "GTIDs as MySQL 9.7.4 sent them",
      "03 28 00 26 3262346334353161 2d653539642d313166312d393935392d3032666330303030303030313a34",
      [{ kind: "gtids", gtids: "2b4c451a-e59d-11f1-9959-02fc00000001:4" }],
    ],
    [
      "characteristics",
      "04 07 06424547494e3b",
      [{ kind: "transaction characteristics", statements: "BEGIN;" }],
    ],
    ["a transaction's state", "05 09 08545f5f5f5f5f5f5f", [{ kind: "transaction state", flags: "T_______" }]],
    [
      "an unknown block among others",
      "2a 02 ffff 02 01 31",
      [
        { kind: "unknown", type: 42 },
        { kind: "state", changed: true },
      ],
    ],
    ["an empty unknown block", "06 00", [{ kind: "unknown", type: 6 }]],
  ])("%s", (_, bytes, expected) => {
    expect(decodeSessionState(hex(bytes))).toEqual(expected);
  });

  it("refuses every truncation that is not between two blocks", () => {
    const bytes = hex("00 04 0161 0162 01 05 0473686f70 05 09 08545f5f5f5f5f5f5f");
    const whole = [0, 6, 13];
    for (let length = 0; length < bytes.length; length += 1) {
      const part = bytes.subarray(0, length);
      if (whole.includes(length)) expect(decodeSessionState(part).length).toBe(whole.indexOf(length));
      else expect(() => decodeSessionState(part), `${length} bytes`).toThrow(WireError);
    }
  });

  it.each(["00 00", "01 00", "02 00", "03 00", "03 01 00", "05 02 0541", "00 fb", "00 feffffffffffffffff"])(
    "refuses %s",
    (bytes) => {
      expect(() => decodeSessionState(hex(bytes))).toThrow(WireError);
    },
  );
});

describe("encodeSchemaChange()", () => {
  it.each(["shop", "", "größe", "x".repeat(251)])("is read as it was written: %s", (name) => {
    expect(decodeSessionState(encodeSchemaChange(name))).toEqual([{ kind: "schema", name }]);
  });
});

describe("withoutSessionState()", () => {
  it.each([
    ["the shortest OK as it is", "00 00 00 0200 0000", "00 00 00 0200 0000"],
    ["text behind its length", "00 01 05 0200 0100 02 6869", "00 01 05 0200 0100 02 6869"],
    ["no state and no flag", "00 00 00 0340 0000 00 04 01020161", "00 00 00 0300 0000"],
    ["text without state", "00 00 00 0340 0000 02 6869 04 01020161", "00 00 00 0300 0000 02 6869"],
    ["the end of a result under its own header", "fe 00 00 0a40 0000 00 04 01020161", "fe 00 00 0a00 0000"],
    [
      "counts of every width",
      "00 fc0001 feffffffffffffffff 0240 0000 00 04 01020161",
      "00 fc0001 feffffffffffffffff 0200 0000",
    ],
  ])("leaves %s", (_, payload, expected) => {
    expect(withoutSessionState(hex(payload)).toString("hex")).toBe(hex(expected).toString("hex"));
  });

  it("refuses a malformed OK", () => {
    expect(() => withoutSessionState(hex("00 00 00 0240 0000 05 61"))).toThrow(WireError);
  });
});

describe("rewriteErr()", () => {
  const payload = hex("ff 1504 23 3238303030 61 e9 62");

  it("hands out the message as bytes and puts another in its place", () => {
    const rewritten = rewriteErr(payload, (message, err) => {
      expect(message.toString("hex")).toBe("61e962");
      expect(err).toEqual({ code: 1045, sqlState: "28000" });
      return Buffer.from("new");
    });
    expect(decodeErr(rewritten)).toEqual({ code: 1045, sqlState: "28000", message: "new" });
  });

  it("returns the very payload when nothing changes", () => {
    expect(rewriteErr(payload, (message) => message)).toBe(payload);
  });

  it("keeps the absence of an SQLSTATE", () => {
    expect(Buffer.from(rewriteErr(hex("ff 1004 61"), () => Buffer.from("b"))).toString("hex")).toBe(
      "ff100462",
    );
  });
});
