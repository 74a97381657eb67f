import { describe, expect, it } from "vitest";
import { CLIENT_PROTOCOL_41, CLIENT_SESSION_TRACK } from "../../../../src/wire/capabilities.ts";
import {
  decodeColumnDefinition,
  encodeColumnDefinition,
} from "../../../../src/wire/packets/column-definition.ts";
import { decodeEof, encodeEof } from "../../../../src/wire/packets/eof.ts";
import { decodeErr, decodeErrBytes, encodeErr, isErr } from "../../../../src/wire/packets/err.ts";
import {
  decodeLocalInfileRequest,
  encodeLocalInfileRequest,
} from "../../../../src/wire/packets/local-infile-request.ts";
import { decodeOk, encodeOk, plainOk } from "../../../../src/wire/packets/ok.ts";
import {
  decodePrepareOk,
  encodePrepareOk,
  withStatementId,
} from "../../../../src/wire/packets/prepare-ok.ts";
import { describeCodec, hex } from "../codec-table.ts";

const none = Buffer.alloc(0);
const ok = {
  affectedRows: 0n,
  lastInsertId: 0n,
  statusFlags: 2,
  warnings: 0,
  info: none,
  sessionState: null,
};
const track = CLIENT_SESSION_TRACK;

describeCodec("OK", { encode: encodeOk, decode: decodeOk }, [
  { what: "the shortest", value: ok, hex: "00 00 00 0200 0000", extra: "ignored" },
  {
    what: "the shortest with SESSION_TRACK",
    capabilities: track,
    value: ok,
    hex: "00 00 00 0200 0000",
    extra: "ignored",
  },
  {
    what: "with info",
    value: { ...ok, affectedRows: 250n, lastInsertId: 251n, warnings: 3, info: Buffer.from("hi") },
    hex: "00 fa fcfb00 0200 0300 02 6869",
    decodesFrom: [9],
    extra: "refused",
  },
  {
    what: "with counts of every width",
    value: { ...ok, affectedRows: 0xffffffn, lastInsertId: 0xffffffffffffffffn },
    hex: "00 fdffffff feffffffffffffffff 0200 0000",
    extra: "ignored",
  },
  {
    what: "with counts at the edges of widths",
    value: { ...ok, affectedRows: 0x10000n, lastInsertId: 0x1000000n },
    hex: "00 fd000001 fe0000000100000000 0200 0000",
    extra: "ignored",
  },
  {
    what: "with info behind a length",
    capabilities: track,
    value: { ...ok, info: Buffer.from("hi") },
    hex: "00 00 00 0200 0000 02 6869",
    decodesFrom: [7],
    extra: "refused",
  },
  {
    what: "with session state",
    capabilities: track,
    value: { ...ok, statusFlags: 0x4002, sessionState: hex("01 02 01 61") },
    hex: "00 00 00 0240 0000 00 04 01020161",
    decodesFrom: [7],
    extra: "refused",
  },
]);

describe("OK", () => {
  it("ends a result under header fe", () => {
    const bytes = encodeOk(plainOk(0x22), 0, 0xfe);
    expect(bytes.toString("hex")).toBe("fe000022000000");
    expect(decodeOk(bytes, 0).statusFlags).toBe(0x22);
  });

  it("toward a client without SESSION_TRACK has neither state nor its flag", () => {
    const packet = { ...ok, statusFlags: 0x4003, info: Buffer.from("i"), sessionState: hex("0102") };
    expect(encodeOk(packet, 0).toString("hex")).toBe("00000003000000" + "0169");
  });

  it("never has the flag without state", () => {
    expect(encodeOk({ ...ok, statusFlags: 0x4002 }, track).toString("hex")).toBe("00000002000000");
  });

  it.each([
    ["another header", "01 00 00 0200 0000"],
    ["NULL as a count", "00 fb 00 0200 0000"],
    ["ff as a count", "00 00 ff 0200 0000"],
    ["an info beyond the packet", "00 00 00 0200 0000 05 61"],
    ["an info of 2^64 - 1 bytes", "00 00 00 0200 0000 feffffffffffffffff"],
    ["the state's flag without state", "00 00 00 0240 0000 00"],
  ])("refuses %s", (_, bytes) => {
    expect(() => decodeOk(hex(bytes), track)).toThrow("Cannot read");
  });
});

describeCodec("ERR", { encode: encodeErr, decode: (bytes) => decodeErr(bytes) }, [
  {
    what: "with SQLSTATE",
    capabilities: CLIENT_PROTOCOL_41,
    value: { code: 1045, sqlState: "28000", message: "Né" },
    hex: "ff 1504 23 3238303030 4ec3a9",
    decodesFrom: 3,
    extra: "read",
  },
  {
    what: "without SQLSTATE",
    value: { code: 1040, sqlState: "", message: "Too many" },
    hex: "ff 1004 546f6f206d616e79",
    decodesFrom: 3,
    extra: "read",
  },
  {
    what: "without anything",
    value: { code: 1, sqlState: "", message: "" },
    hex: "ff 0100",
    extra: "read",
  },
]);

describe("ERR", () => {
  it("has HY000 where no SQLSTATE of five characters is known", () => {
    const bytes = encodeErr({ code: 1105, sqlState: "", message: "m" }, CLIENT_PROTOCOL_41);
    expect(decodeErr(bytes)).toEqual({ code: 1105, sqlState: "HY000", message: "m" });
  });

  it("hands out a message that is not UTF-8 as bytes", () => {
    const { message } = decodeErrBytes(hex("ff 1504 23 3238303030 e9"));
    expect(message.toString("hex")).toBe("e9");
  });

  it("is told by its header", () => {
    expect([isErr(hex("ff")), isErr(hex("00")), isErr(none)]).toEqual([true, false, false]);
  });
});

describeCodec("EOF", { encode: encodeEof, decode: decodeEof }, [
  { what: "an end", value: { warnings: 1, statusFlags: 0x2a }, hex: "fe 0100 2a00", extra: "refused" },
]);

describeCodec("PREPARE_OK", { encode: encodePrepareOk, decode: decodePrepareOk }, [
  {
    what: "a statement",
    value: { statementId: 0xfffffffe, columnCount: 2, parameterCount: 0xffff, warnings: 1 },
    hex: "00 feffffff 0200 ffff 00 0100",
    extra: "refused",
  },
]);

describe("withStatementId()", () => {
  it("changes the id and nothing else, in a copy", () => {
    const bytes = hex("00 01000000 0200 0300 00 0100");
    expect(withStatementId(bytes, 0x01020304).toString("hex")).toBe("000403020102000300000100");
    expect(bytes[1]).toBe(1);
  });
});

describeCodec("request for a file", { encode: encodeLocalInfileRequest, decode: decodeLocalInfileRequest }, [
  { what: "a name", value: { filename: "/tmp/é" }, hex: "fb 2f746d702fc3a9", decodesFrom: 1, extra: "read" },
]);

const origin = { database: "shop", table: "t", originalTable: "orders", originalName: "b" };
describeCodec("ColumnDefinition41", { encode: encodeColumnDefinition, decode: decodeColumnDefinition }, [
  {
    what: "a column of a table",
    value: { name: "a", collation: 63, length: 11, type: 3, flags: 0x1001, decimals: 0, origin },
    hex: "03646566 0473686f70 0174 066f7264657273 0161 0162 0c 3f00 0b000000 03 0110 00 0000",
    extra: "ignored",
  },
]);

describe("encodeColumnDefinition()", () => {
  it("leaves names of origin empty where there is none", () => {
    const column = { name: "?", collation: 63, length: 0, type: 0xfd, flags: 0x80, decimals: 0 };
    expect(encodeColumnDefinition(column).toString("hex")).toBe(
      "03646566000000013f000c3f0000000000fd8000000000",
    );
  });
});
