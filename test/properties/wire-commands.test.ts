// Commands, logins and files of clients: made up, cut at random, and not made by any client.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CommandCollector,
  isWholeCommand,
  payloadOf,
  replySequenceOf,
} from "../../src/wire/command-boundary.ts";
import { encodeFrames, FrameReader } from "../../src/wire/frames.ts";
import { LocalFileTracker } from "../../src/wire/local-file-tracker.ts";
import { decodeAuthMoreData } from "../../src/wire/packets/auth-more-data.ts";
import { decodeAuthSwitchRequest } from "../../src/wire/packets/auth-switch-request.ts";
import { decodeChangeUser, encodeChangeUser } from "../../src/wire/packets/change-user.ts";
import { decodeColumnDefinition } from "../../src/wire/packets/column-definition.ts";
import type { ConnectAttributes } from "../../src/wire/packets/connect-attributes.ts";
import { decodeEof } from "../../src/wire/packets/eof.ts";
import { decodeErr } from "../../src/wire/packets/err.ts";
import {
  decodeHandshakeResponse,
  encodeHandshakeResponse,
} from "../../src/wire/packets/handshake-response.ts";
import {
  decodeHandshakeV10,
  greetingEncoder,
  type HandshakeV10,
} from "../../src/wire/packets/handshake-v10.ts";
import { decodeLocalInfileRequest } from "../../src/wire/packets/local-infile-request.ts";
import { decodeOk, encodeOk } from "../../src/wire/packets/ok.ts";
import { decodePrepareOk } from "../../src/wire/packets/prepare-ok.ts";
import { decodeSslRequest, isSslRequest } from "../../src/wire/packets/ssl-request.ts";
import { decodeIntegerParameters } from "../../src/wire/packets/stmt-execute.ts";
import { WireError } from "../../src/wire/reader.ts";
import { decodeSessionState, rewriteErr, withoutSessionState } from "../../src/wire/session-state.ts";

const encodeHandshakeV10 = (packet: HandshakeV10): Buffer => greetingEncoder(packet)(packet);

/** With attributes that can be compared. */
const readable = <Packet extends { readonly attributes: ConnectAttributes }>(packet: Packet) => ({
  ...packet,
  attributes: new Map(packet.attributes),
});

const capabilities = fc.integer({ min: 0, max: 0xffffffff });

describe("decoders", () => {
  const decoders: Record<string, (payload: Uint8Array, bits: number) => unknown> = {
    decodeAuthMoreData,
    decodeAuthSwitchRequest,
    decodeChangeUser,
    decodeColumnDefinition,
    decodeEof,
    decodeErr,
    decodeHandshakeResponse: (payload) => decodeHandshakeResponse(payload),
    "decodeHandshakeResponse behind TLS": (payload, bits) => decodeHandshakeResponse(payload, bits),
    decodeHandshakeV10,
    decodeLocalInfileRequest,
    decodeOk,
    decodePrepareOk,
    decodeSessionState,
    decodeSslRequest,
    isSslRequest,
    withoutSessionState,
    rewriteErr: (payload) => rewriteErr(payload, (message) => Buffer.concat([message, message])),
    decodeIntegerParameters: (payload, bits) => decodeIntegerParameters(payload, bits & 0xffff),
  };

  it.each(Object.keys(decoders))("%s() takes random bytes or throws a WireError", (name) => {
    const decode = decoders[name]!;
    const headers = fc.constantFrom(
      [],
      [0x00],
      [0x01],
      [0x0a],
      [0x11],
      [0xfb],
      [0xfe],
      [0xff],
      [0x00, 0x02, 0x00, 0x00],
    );
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 200 }), capabilities, (head, rest, bits) => {
        try {
          decode(Buffer.from([...head, ...rest]), bits);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          // Field and offset, no content.
          expect(error.message).toMatch(
            /^Cannot read '[a-z0-9A-Z ]+' at offset \d+: [a-z0-9A-Z ,^-]+( is [a-z ]+)?/,
          );
        }
      }),
      { numRuns: 400 },
    );
  });
});

describe("what is encoded decodes to the same", () => {
  const text = fc
    .string({ maxLength: 60 })
    .filter((value) => !value.includes("\0") && !value.startsWith("'"));
  const name = text.map((value) => (value === "" ? null : value));
  const bytes = fc.uint8Array({ maxLength: 255 });
  const attributes = fc
    .dictionary(fc.string({ maxLength: 30 }), fc.string({ maxLength: 300 }))
    .map((pairs) => new Map(Object.entries(pairs)));

  it("a login", () => {
    const login = fc.record({
      capabilities,
      packetBytesMax: fc.integer({ min: 0, max: 0xffffffff }),
      collation: fc.integer({ min: 0, max: 255 }),
      user: text,
      authResponse: bytes,
      database: name,
      authPlugin: name,
      attributes,
    });
    fc.assert(
      fc.property(login, (fields) => {
        const bits = (fields.capabilities | 0x200) >>> 0;
        const isBare = (bits & 0x208000) === 0;
        const authResponse = isBare ? fields.authResponse.filter((byte) => byte !== 0) : fields.authResponse;
        const packet = { ...fields, capabilities: bits, authResponse, extendedCapabilities: 0 };
        const decoded = readable(decodeHandshakeResponse(encodeHandshakeResponse(packet)));
        expect({ ...decoded, authResponse: Buffer.from(decoded.authResponse) }).toEqual({
          ...packet,
          authResponse: Buffer.from(authResponse),
          database: bits & 0x8 ? packet.database : null,
          authPlugin: bits & 0x80000 ? packet.authPlugin : null,
          attributes: bits & 0x100000 ? packet.attributes : new Map(),
        });
      }),
    );
  });

  it("a change of user", () => {
    const change = fc.record({
      user: text,
      authResponse: bytes,
      database: name,
      collation: fc.integer({ min: 0, max: 0xffff }),
      authPlugin: name,
      attributes,
    });
    fc.assert(
      fc.property(change, (packet) => {
        const decoded = readable(decodeChangeUser(encodeChangeUser(packet, 0x188200), 0x188200));
        expect({ ...decoded, authResponse: [...decoded.authResponse] }).toEqual({
          ...packet,
          authResponse: [...packet.authResponse],
        });
      }),
    );
  });

  it("a greeting", () => {
    const greeting = fc.record({
      serverVersion: text,
      connectionId: fc.integer({ min: 0, max: 0xffffffff }),
      scramble: fc.uint8Array({ minLength: 20, maxLength: 20, min: 1 }),
      capabilities,
      extendedCapabilities: fc.integer({ min: 0, max: 0xffffffff }),
      collation: fc.integer({ min: 0, max: 255 }),
      statusFlags: fc.integer({ min: 0, max: 0xffff }),
      authPlugin: text,
    });
    fc.assert(
      fc.property(greeting, (fields) => {
        const bits = fields.capabilities;
        const packet = {
          ...fields,
          extendedCapabilities: bits & 1 ? 0 : fields.extendedCapabilities,
          authPlugin: bits & 0x80000 ? fields.authPlugin : "",
        };
        const decoded = decodeHandshakeV10(encodeHandshakeV10(packet));
        expect({ ...decoded, scramble: [...decoded.scramble] }).toEqual({
          ...packet,
          scramble: [...packet.scramble],
        });
      }),
    );
  });

  it("an OK", () => {
    const count = fc.bigInt(0n, 2n ** 64n - 1n);
    const ok = fc.record({
      affectedRows: count,
      lastInsertId: count,
      statusFlags: fc.integer({ min: 0, max: 0xffff }),
      warnings: fc.integer({ min: 0, max: 0xffff }),
      info: bytes,
      sessionState: fc.option(bytes),
    });
    fc.assert(
      fc.property(ok, (fields) => {
        const flag = fields.sessionState === null ? 0 : 0x4000;
        const packet = { ...fields, statusFlags: (fields.statusFlags & ~0x4000) | flag };
        const decoded = decodeOk(encodeOk(packet, 0x800000), 0x800000);
        const state = decoded.sessionState;
        expect({ ...decoded, info: [...decoded.info], sessionState: state && [...state] }).toEqual({
          ...packet,
          info: [...packet.info],
          sessionState: packet.sessionState && [...packet.sessionState],
        });
      }),
    );
  });
});

describe("commands, cut anywhere", () => {
  const commands = fc.array(fc.uint8Array({ maxLength: 400 }), { minLength: 1, maxLength: 10 });

  it("are the same commands", () => {
    fc.assert(
      fc.property(
        commands,
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 100 }),
        (payloads, sizes) => {
          const stream = Buffer.concat(payloads.map((payload) => encodeFrames(payload, 0)));
          const collector = new CommandCollector(401);
          const collected: Buffer[] = [];
          for (let start = 0, turn = 0; start < stream.length; turn += 1) {
            const chunk = stream.subarray(start, start + (sizes[turn % sizes.length] ?? 1));
            start += chunk.length;
            for (let at = 0; ; ) {
              const pushed = collector.push(chunk, at);
              if (pushed.kind === "error") throw new Error(pushed.symbol);
              at += pushed.consumedBytes;
              if (pushed.kind === "more") break;
              expect(replySequenceOf(pushed.frames)).toBe(1);
              collected.push(Buffer.from(payloadOf(pushed.frames)));
              expect(isWholeCommand(pushed.frames)).toBe(payloadOf(pushed.frames).length > 0);
            }
          }
          expect(collected.map((item) => item.toString("hex"))).toEqual(
            payloads.map((item) => Buffer.from(item).toString("hex")),
          );
          expect(collector.collecting).toBe(false);
        },
      ),
    );
  });

  it("are packets for the frame reader, too", () => {
    fc.assert(
      fc.property(commands, fc.integer({ min: 1, max: 50 }), (payloads, size) => {
        const stream = Buffer.concat(payloads.map((payload, index) => encodeFrames(payload, index)));
        const reader = new FrameReader(400);
        const taken: string[] = [];
        for (let start = 0; start < stream.length; start += size) {
          const end = Math.min(stream.length, start + size);
          for (let at = start; at < end || reader.state === "complete"; ) {
            at = reader.push(stream, at, end);
            if (reader.state === "complete") taken.push(reader.take().toString("hex"));
            expect(["more", "complete"]).toContain(reader.state);
          }
        }
        expect(taken).toEqual(payloads.map((item) => Buffer.from(item).toString("hex")));
      }),
    );
  });

  it("random bytes never hang the collector, the frame reader or the file tracker", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 40 }), (bytes, size) => {
        const collector = new CommandCollector(1000);
        const reader = new FrameReader(1000);
        const tracker = new LocalFileTracker(1);
        for (let start = 0; start < bytes.length; start += size) {
          const end = Math.min(bytes.length, start + size);
          for (let at = start, rounds = 0; ; rounds += 1) {
            expect(rounds).toBeLessThan(100);
            const result = collector.push(bytes, at, end);
            at += result.consumedBytes;
            if (result.kind !== "command") break;
          }
          expect(collector.capacityBytes).toBeLessThanOrEqual(1024);
          for (
            let at = start, state = reader.state;
            at < end && (state === "more" || state === "complete");
            state = reader.state
          ) {
            at = reader.push(bytes, at, end);
            if (reader.state === "complete") reader.take();
          }
          const at = tracker.feed(bytes, start, end);
          expect(at === end || tracker.complete || tracker.outOfOrder).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
