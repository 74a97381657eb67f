import { describe, expect, it } from "vitest";
import {
  CLIENT_CONNECT_ATTRS,
  CLIENT_CONNECT_WITH_DB,
  CLIENT_LONG_PASSWORD,
  CLIENT_PLUGIN_AUTH,
  CLIENT_PLUGIN_AUTH_LENENC,
  CLIENT_PROTOCOL_41,
  CLIENT_SECURE_CONNECTION,
  CLIENT_SSL,
} from "../../../../src/wire/capabilities.ts";
import { decodeAuthMoreData, encodeAuthMoreData } from "../../../../src/wire/packets/auth-more-data.ts";
import {
  decodeAuthSwitchRequest,
  encodeAuthSwitchRequest,
} from "../../../../src/wire/packets/auth-switch-request.ts";
import {
  type ChangeUser,
  decodeChangeUser,
  encodeChangeUser,
} from "../../../../src/wire/packets/change-user.ts";
import type { ConnectAttributes } from "../../../../src/wire/packets/connect-attributes.ts";
import {
  decodeHandshakeResponse,
  encodeHandshakeResponse,
  type HandshakeResponse,
} from "../../../../src/wire/packets/handshake-response.ts";
import {
  decodeHandshakeV10,
  greetingEncoder,
  type HandshakeV10,
} from "../../../../src/wire/packets/handshake-v10.ts";
import {
  decodeSslRequest,
  encodeSslRequest,
  isSslRequest,
} from "../../../../src/wire/packets/ssl-request.ts";
import { WireError } from "../../../../src/wire/reader.ts";
import { describeCodec, hex } from "../codec-table.ts";

const encodeHandshakeV10 = (packet: HandshakeV10): Buffer => greetingEncoder(packet)(packet);

/** With attributes that can be compared. */
const readable = <Packet extends { readonly attributes: ConnectAttributes }>(packet: Packet) => ({
  ...packet,
  attributes: new Map(packet.attributes),
});

const scramble = Buffer.from("ABCDEFGHIJKLMNOPQRST");

describeCodec("HandshakeV10", { encode: encodeHandshakeV10, decode: decodeHandshakeV10 }, [
  {
    what: "MySQL 8",
    value: {
      serverVersion: "8.0.36",
      connectionId: 0x01020304,
      scramble,
      capabilities: 0xdfffffff,
      extendedCapabilities: 0,
      collation: 255,
      statusFlags: 2,
      authPlugin: "caching_sha2_password",
    },
    hex: `0a 382e302e333600 04030201 4142434445464748 00 ffff ff 0200 ffdf 15 00000000000000000000
      494a4b4c4d4e4f505152535400 63616368696e675f736861325f70617373776f726400`,
    // Without its NUL the plugin's name is what is there.
    decodesFrom: 7 + 1 + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10 + 13,
    lastByteOptional: true,
    extra: "ignored",
  },
  {
    what: "MariaDB with extended capabilities",
    value: {
      serverVersion: "5.5.5-10.11.19-MariaDB",
      connectionId: 5,
      scramble,
      capabilities: 0x81fffffe,
      extendedCapabilities: 0x1d,
      collation: 45,
      statusFlags: 2,
      authPlugin: "mysql_native_password",
    },
    hex: `0a 352e352e352d31302e31312e31392d4d61726961444200 05000000 4142434445464748 00 feff 2d 0200 ff81 15
      000000000000 1d000000 494a4b4c4d4e4f505152535400 6d7973716c5f6e61746976655f70617373776f726400`,
    decodesFrom: 23 + 1 + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10 + 13,
    lastByteOptional: true,
    extra: "ignored",
  },
  {
    what: "a server without PLUGIN_AUTH",
    value: {
      serverVersion: "5.1",
      connectionId: 1,
      scramble,
      capabilities: 0x0000a201,
      extendedCapabilities: 0,
      collation: 8,
      statusFlags: 2,
      authPlugin: "",
    },
    hex: "0a 352e3100 01000000 4142434445464748 00 01a2 08 0200 0000 00 00000000000000000000 494a4b4c4d4e4f505152535400",
    extra: "ignored",
  },
]);

describe("HandshakeV10", () => {
  it("refuses another protocol version", () => {
    expect(() => decodeHandshakeV10(hex("09 00"))).toThrow(
      "Cannot read 'protocol version' at offset 0: 0a wanted",
    );
  });

  it("refuses a scramble with a NUL inside", () => {
    const greeting = encodeHandshakeV10({
      serverVersion: "8",
      connectionId: 1,
      scramble,
      capabilities: 0xffffffff,
      extendedCapabilities: 0,
      collation: 8,
      statusFlags: 2,
      authPlugin: "x",
    });
    greeting[10] = 0;
    expect(() => decodeHandshakeV10(greeting)).toThrow(WireError);
  });

  it("never writes one", () => {
    const scrambleWithNul = Buffer.from(scramble);
    scrambleWithNul[7] = 0;
    const packet = { ...decodeHandshakeV10(hex(mysqlGreeting)), scramble: scrambleWithNul };
    expect(() => encodeHandshakeV10(packet)).toThrow("a scramble is 20 bytes without NUL");
  });
});

const mysqlGreeting = `0a 3800 04030201 4142434445464748 00 ffff ff 0200 ffdf 15 00000000000000000000
  494a4b4c4d4e4f505152535400 7800`;

describeCodec("SSLRequest", { encode: encodeSslRequest, decode: decodeSslRequest }, [
  {
    what: "MySQL's client",
    value: { capabilities: 0x19ffaa85, packetBytesMax: 0x01000000, collation: 255, extendedCapabilities: 0 },
    hex: `85aaff19 00000001 ff ${"00".repeat(19)} 00000000`,
    decodesFrom: [4],
    extra: "refused",
  },
  {
    what: "MariaDB's client",
    value: {
      capabilities: 0x00ffaa84,
      packetBytesMax: 0x40000000,
      collation: 45,
      extendedCapabilities: 0x14,
    },
    hex: `84aaff00 00000040 2d ${"00".repeat(19)} 14000000`,
    decodesFrom: [4],
    extra: "refused",
  },
]);

describe("isSslRequest()", () => {
  it.each([
    ["32 bytes with CLIENT_SSL", `000a0000 ${"00".repeat(28)}`, true],
    ["4 bytes with CLIENT_SSL, as older Connector/J sends them", "000a0000", true],
    ["32 bytes without CLIENT_SSL", `00020000 ${"00".repeat(28)}`, false],
    ["a longer packet with CLIENT_SSL: a login", `000a0000 ${"00".repeat(29)}`, false],
    ["nothing", "", false],
    ["three bytes", "000a00", false],
  ])("%s", (_, bytes, expected) => {
    expect(isSslRequest(hex(bytes))).toBe(expected);
  });
});

const noAttributes = new Map<string, string>();
const loginBase: HandshakeResponse = {
  capabilities: CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41,
  packetBytesMax: 0x01000000,
  collation: 255,
  extendedCapabilities: 0,
  user: "alice",
  authResponse: hex("0102"),
  database: null,
  authPlugin: null,
  attributes: noAttributes,
};
const filler = "00".repeat(23);
const head = (capabilities: string): string => `${capabilities} 00000001 ff ${filler} 616c69636500`;
const headBytes = 32 + 6;

describeCodec(
  "HandshakeResponse41",
  { encode: encodeHandshakeResponse, decode: (bytes) => readable(decodeHandshakeResponse(bytes)) },
  [
    {
      what: "auth response up to a NUL",
      value: loginBase,
      hex: `${head("01020000")} 010200`,
      extra: "ignored",
    },
    {
      what: "auth response behind a length byte",
      value: {
        ...loginBase,
        capabilities: loginBase.capabilities | CLIENT_SECURE_CONNECTION,
        authResponse: hex("0100ff"),
      },
      hex: `${head("01820000")} 03 0100ff`,
      extra: "ignored",
    },
    {
      what: "auth response behind a lenenc length, longer than 250 bytes",
      value: {
        ...loginBase,
        capabilities: loginBase.capabilities | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH_LENENC,
        authResponse: Buffer.alloc(300, 7),
      },
      hex: `${head("01822000")} fc2c01 ${"07".repeat(300)}`,
      extra: "ignored",
    },
    {
      what: "everything",
      value: {
        ...loginBase,
        capabilities:
          loginBase.capabilities |
          CLIENT_SECURE_CONNECTION |
          CLIENT_PLUGIN_AUTH_LENENC |
          CLIENT_CONNECT_WITH_DB |
          CLIENT_PLUGIN_AUTH |
          CLIENT_CONNECT_ATTRS |
          CLIENT_SSL,
        database: "shop",
        authPlugin: "mysql_native_password",
        attributes: new Map([
          ["_os", "Linux"],
          ["k", ""],
        ]),
      },
      hex: `${head("098a3800")} 02 0102 73686f7000 6d7973716c5f6e61746976655f70617373776f726400 0d 035f6f73 054c696e7578 016b 00`,
      extra: "ignored",
    },
    {
      what: "a plugin at the end",
      value: { ...loginBase, capabilities: loginBase.capabilities | CLIENT_PLUGIN_AUTH, authPlugin: "x" },
      hex: `${head("01020800")} 010200 7800`,
      // The name may be missing, or lack its NUL (then it is the same name).
      decodesFrom: [headBytes + 3],
      lastByteOptional: true,
      extra: "ignored",
    },
    {
      what: "MariaDB's client, which clears LONG_PASSWORD",
      value: { ...loginBase, capabilities: CLIENT_PROTOCOL_41, extendedCapabilities: 0x1d },
      hex: `00020000 00000001 ff ${"00".repeat(19)} 1d000000 616c69636500 010200`,
      extra: "ignored",
    },
  ] satisfies Parameters<typeof describeCodec<HandshakeResponse>>[2],
);

describe("decodeHandshakeResponse()", () => {
  const withUser = (user: string): Buffer => hex(`01020000 00000001 ff ${filler} ${user} 00 00`);

  it.each([
    ["wrapped in apostrophes loses them", "27616c69636527", "alice"],
    ["of two apostrophes is empty", "2727", ""],
    ["of one apostrophe stays", "27", "'"],
    ["with an apostrophe at one end stays", "27616c696365", "'alice"],
    ["may be empty", "", ""],
    ["is read as UTF-8", "c3a9", "é"],
  ])("a user name %s", (_, bytes, user) => {
    expect(decodeHandshakeResponse(withUser(bytes)).user).toBe(user);
  });

  it("refuses a client without PROTOCOL_41", () => {
    expect(() => decodeHandshakeResponse(hex(`01000000 00000001 ff ${filler} 6100 00`))).toThrow(
      "Cannot read 'capabilities' at offset 0: PROTOCOL_41 is not set",
    );
  });

  it("an empty schema is none", () => {
    const login = { ...loginBase, capabilities: loginBase.capabilities | CLIENT_CONNECT_WITH_DB };
    const bytes = encodeHandshakeResponse(login);
    expect(bytes.at(-1)).toBe(0);
    expect(decodeHandshakeResponse(bytes).database).toBeNull();
  });

  it("keeps the capabilities of the SSLRequest, whatever the second response says", () => {
    const login = hex(`${head("01820000")} 03 0100ff`);
    const decoded = readable(decodeHandshakeResponse(login, CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41));
    // Laid out without SECURE_CONNECTION: the response goes up to the NUL.
    expect(Buffer.from(decoded.authResponse).toString("hex")).toBe("0301");
    expect(decoded.capabilities).toBe(CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41);
  });

  it("copies the auth response, so that a secret does not live on in a read buffer", () => {
    const bytes = hex(`${head("01820000")} 03 0100ff`);
    const { authResponse } = decodeHandshakeResponse(bytes);
    bytes.fill(0);
    expect(Buffer.from(authResponse).toString("hex")).toBe("0100ff");
  });

  describe("connection attributes", () => {
    const capabilities = "01821000";
    const decode = (attributes: string) =>
      decodeHandshakeResponse(hex(`${head(capabilities)} 00 ${attributes}`));

    it("that were announced must be there", () => {
      expect(() => decode("")).toThrow("Cannot read 'connection attributes'");
    });

    it("of exactly 64 KiB are taken, of one byte more refused", () => {
      const key = "016b";
      const value = (bytes: number): string => `fd${u24(bytes)}${"78".repeat(bytes)}`;
      const fits = decode(`fd${u24(65536)}${key}${value(65536 - 6)}`);
      expect(fits.attributes.get("k")?.length).toBe(65536 - 6);
      expect(() => decode(`fd${u24(65537)}${key}${value(65537 - 6)}`)).toThrow(
        "65537 bytes are beyond 65536",
      );
    });

    it.each([
      ["a length beyond the packet", "05 016b"],
      ["a length of 2^64 - 1", "fe ffffffffffffffff"],
      ["a length of 2^53 - 1", "fe ffffffffffff1f00"],
      ["a length that is NULL", "fb"],
    ])("%s is refused", (_, bytes) => {
      expect(() => decode(bytes)).toThrow(WireError);
    });

    it.each([
      ["a value beyond the list ends it", "06 016b0176 0505", [["k", "v"]]],
      ["a name without value ends it", "06 016b0176 0161", [["k", "v"]]],
      ["a length of 2^64 - 1 inside ends it", "0d 016b0176 feffffffffffffffff", [["k", "v"]]],
      ["an empty list", "00", []],
      ["a repeated name: the last stays", "08 016b0176 016b0177", [["k", "w"]]],
      ["a name that is a property of objects", "0c 095f5f70726f746f5f5f 0178", [["__proto__", "x"]]],
    ])("%s", (_, bytes, expected) => {
      expect([...decode(bytes).attributes]).toEqual(expected);
    });

    it("are kept up to 256 in number", () => {
      const pairs = Array.from(
        { length: 400 },
        (_, index) =>
          `02${(index >> 8).toString(16).padStart(2, "0")}${(index & 255).toString(16).padStart(2, "0")}00`,
      ).join("");
      expect(
        decode(
          `fc${(pairs.length / 2)
            .toString(16)
            .padStart(4, "0")
            .replace(/(..)(..)/, "$2$1")}${pairs}`,
        ).attributes.size,
      ).toBe(256);
    });
  });
});

function u24(value: number): string {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntLE(value, 0, 3);
  return bytes.toString("hex");
}

const changeUserCapabilities =
  CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION | CLIENT_PLUGIN_AUTH | CLIENT_CONNECT_ATTRS;
const change: ChangeUser = {
  user: "bob",
  authResponse: hex("aabb"),
  database: "shop",
  collation: 45,
  authPlugin: "x",
  attributes: new Map([["k", "v"]]),
};

describeCodec(
  "COM_CHANGE_USER",
  {
    encode: encodeChangeUser,
    decode: (bytes, capabilities) => readable(decodeChangeUser(bytes, capabilities)),
  },
  [
    {
      what: "everything",
      capabilities: changeUserCapabilities,
      value: change,
      hex: "11 626f6200 02 aabb 73686f7000 2d00 7800 04 016b 0176",
      // It may end behind the schema, the collation, and the plugin; the plugin's NUL may be missing.
      decodesFrom: [13, 15, 16, 17],
      extra: "ignored",
    },
    {
      what: "up to the schema, which is none",
      capabilities: changeUserCapabilities,
      value: { ...change, database: null, collation: null, authPlugin: null, attributes: noAttributes },
      hex: "11 626f6200 02 aabb 00",
      extra: "refused", // half a collation
    },
    {
      what: "a client without PLUGIN_AUTH",
      capabilities: CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION,
      value: { ...change, collation: 255, authPlugin: null, attributes: noAttributes },
      hex: "11 626f6200 02 aabb 73686f7000 ff00",
      decodesFrom: [13],
      extra: "ignored",
    },
    {
      what: "a client without SECURE_CONNECTION",
      capabilities: CLIENT_PROTOCOL_41,
      value: { ...change, collation: null, authPlugin: null, attributes: noAttributes },
      hex: "11 626f6200 aabb00 73686f7000",
      extra: "refused",
    },
  ],
);

describeCodec("AuthSwitchRequest", { encode: encodeAuthSwitchRequest, decode: decodeAuthSwitchRequest }, [
  {
    what: "with a scramble",
    value: { plugin: "ab", data: Buffer.concat([scramble, Buffer.alloc(1)]) },
    hex: `fe 616200 ${scramble.toString("hex")} 00`,
    decodesFrom: 4,
    extra: "read",
  },
  { what: "without data", value: { plugin: "ab", data: Buffer.alloc(0) }, hex: "fe 616200", extra: "read" },
]);

describeCodec("AuthMoreData", { encode: encodeAuthMoreData, decode: decodeAuthMoreData }, [
  { what: "full authentication", value: { data: hex("04") }, hex: "01 04", decodesFrom: 1, extra: "read" },
  { what: "nothing", value: { data: Buffer.alloc(0) }, hex: "01", extra: "read" },
]);

describe("an AuthSwitchRequest of the plugin of before 4.1", () => {
  it("is refused", () => {
    expect(() => decodeAuthSwitchRequest(hex("fe"))).toThrow(
      "Cannot read 'plugin' at offset 1: no NUL follows",
    );
  });
});
