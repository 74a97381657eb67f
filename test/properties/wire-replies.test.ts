// Replies made up and cut at random, and bytes that are no replies at all.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLIENT_DEPRECATE_EOF } from "../../src/wire/capabilities.ts";
import {
  COM_FIELD_LIST,
  COM_QUERY,
  COM_STMT_EXECUTE,
  COM_STMT_FETCH,
  COM_STMT_PREPARE,
} from "../../src/wire/commands.ts";
import { encodePackets } from "../../src/wire/frames.ts";
import { PacketCollector } from "../../src/wire/packet-collector.ts";
import { encodeEof } from "../../src/wire/packets/eof.ts";
import { encodeErr } from "../../src/wire/packets/err.ts";
import { encodeOk, plainOk } from "../../src/wire/packets/ok.ts";
import { encodePrepareOk } from "../../src/wire/packets/prepare-ok.ts";
import { ResponseBoundary, UNTOLD_BYTES_MAX } from "../../src/wire/response-boundary.ts";
import { walkReply } from "../unit/wire/play-reply.ts";
import { recordedReplies } from "../unit/wire/recorded-replies.ts";

const MORE = 0x8;

interface Mode {
  readonly capabilities: number;
  readonly inspectSessionTrack: boolean;
}
const modes: fc.Arbitrary<Mode> = fc.record({
  capabilities: fc.constantFrom(0, CLIENT_DEPRECATE_EOF),
  inspectSessionTrack: fc.boolean(),
});

/** What a row may begin with: anything but the markers of ERR and of a short end. */
const row = fc
  .tuple(fc.integer({ min: 0, max: 0xfd }), fc.uint8Array({ maxLength: 300 }))
  .map(([first, rest]) => Buffer.from([first, ...rest]));
const definition = fc.uint8Array({ maxLength: 60 }).map((rest) => Buffer.from([3, ...rest]));

function endOf(capabilities: number, status: number): Buffer {
  if (capabilities === 0) return encodeEof({ warnings: 0, statusFlags: status });
  return encodeOk({ ...plainOk(status), affectedRows: 300n }, 0, 0xfe);
}

/** The packets of one result; `more` sets MORE_RESULTS in what ends it. */
function result(capabilities: number, more: boolean): fc.Arbitrary<Buffer[]> {
  const status = 2 | (more ? MORE : 0);
  const okPacket = fc.record({
    affectedRows: fc.bigInt(0n, 2n ** 64n - 1n),
    lastInsertId: fc.bigInt(0n, 2n ** 64n - 1n),
    info: fc.uint8Array({ maxLength: 40 }),
  });
  const ok = okPacket.map((fields) => [encodeOk({ ...plainOk(status), ...fields }, 0)]);
  const rows = fc
    .tuple(fc.array(definition, { minLength: 1, maxLength: 300 }), fc.array(row, { maxLength: 30 }))
    .map(([definitions, rowPackets]) => [
      columnCount(definitions.length),
      ...definitions,
      ...(capabilities === 0 ? [encodeEof({ warnings: 0, statusFlags: status })] : []),
      ...rowPackets,
      endOf(capabilities, status),
    ]);
  return fc.oneof(ok, rows);
}

function columnCount(count: number): Buffer {
  return count < 0xfb ? Buffer.from([count]) : Buffer.from([0xfc, count & 0xff, count >> 8]);
}

const err = encodeErr({ code: 1317, sqlState: "70100", message: "interrupted" }, 0x200);

/** A whole reply of COM_QUERY: results, the last one whole or cut short by an ERR. */
function queryReply(capabilities: number): fc.Arbitrary<Buffer[]> {
  const last = result(capabilities, false);
  const failed = result(capabilities, true).chain((packets) =>
    fc.nat(packets.length - 1).map((at) => (at === 0 ? [err] : [...packets.slice(0, at), err])),
  );
  return fc
    .tuple(fc.array(result(capabilities, true), { maxLength: 3 }), fc.oneof(last, failed))
    .map(([before, end]) => [...before.flat(), ...end]);
}

function prepareReply(capabilities: number): fc.Arbitrary<Buffer[]> {
  const definitions = fc.array(definition, { maxLength: 20 });
  return fc.tuple(definitions, definitions).map(([parameters, columns]) => {
    const eof = capabilities === 0 ? [encodeEof({ warnings: 0, statusFlags: 2 })] : [];
    return [
      encodePrepareOk({
        statementId: 7,
        columnCount: columns.length,
        parameterCount: parameters.length,
        warnings: 0,
      }),
      ...(parameters.length > 0 ? [...parameters, ...eof] : []),
      ...(columns.length > 0 ? [...columns, ...eof] : []),
    ];
  });
}

const replies = modes.chain((mode) => {
  const { capabilities } = mode;
  const rowsOnly = fc.array(row, { maxLength: 20 }).map((rows) => [...rows, endOf(capabilities, 2)]);
  return fc.oneof(
    fc.record({
      mode: fc.constant(mode),
      command: fc.constantFrom(COM_QUERY, COM_STMT_EXECUTE),
      packets: queryReply(capabilities),
    }),
    fc.record({
      mode: fc.constant(mode),
      command: fc.constantFrom(COM_FIELD_LIST, COM_STMT_FETCH),
      packets: rowsOnly,
    }),
    fc.record({
      mode: fc.constant(mode),
      command: fc.constant(COM_STMT_PREPARE),
      packets: prepareReply(capabilities),
    }),
  );
});

const cutsOf = (length: number, numbers: readonly number[]): number[] =>
  [...new Set(numbers.map((number) => 1 + (number % Math.max(1, length - 1))))].sort((a, b) => a - b);

describe("a reply, cut anywhere", () => {
  it("is forwarded byte for byte and ends where it ends", () => {
    fc.assert(
      fc.property(replies, fc.array(fc.nat(), { maxLength: 40 }), ({ mode, command, packets }, numbers) => {
        const reply = encodePackets(packets, 1);
        const walk = walkReply({ ...mode, command, reply }, undefined, cutsOf(reply.length, numbers));
        expect(walk.fault).toBe("");
        expect(walk.completeAt).toBe(reply.length);
        expect(walk.forwarded.equals(reply)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("ends at the same place when more bytes follow, and takes none of them", () => {
    fc.assert(
      fc.property(
        replies,
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        ({ mode, command, packets }, behind, numbers) => {
          const reply = encodePackets(packets, 1);
          const bytes = Buffer.concat([reply, behind]);
          const walk = walkReply(
            { ...mode, command, reply: bytes },
            undefined,
            cutsOf(bytes.length, numbers),
          );
          expect(walk.completeAt).toBe(reply.length);
          expect(walk.forwarded.equals(reply)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("that is not whole is never complete", () => {
    fc.assert(
      fc.property(replies, fc.nat(), ({ mode, command, packets }, number) => {
        const reply = encodePackets(packets, 1);
        const part = reply.subarray(0, number % reply.length);
        const walk = walkReply({ ...mode, command, reply: part });
        expect(walk.completeAt).toBe(-1);
        expect(["more", "inspect"]).toContain(walk.boundary.state);
        expect(part.subarray(0, walk.forwarded.length).equals(walk.forwarded)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe("bytes that are no reply", () => {
  /** Feeds without mercy; fails when an offset is outside, or when nothing moves for ever. */
  const torture = (command: number, mode: Mode, bytes: Uint8Array, step: number): void => {
    const boundary = new ResponseBoundary(mode.capabilities, mode);
    const collector = new PacketCollector();
    boundary.begin(command);
    let from = 0;
    for (let to = Math.min(step, bytes.length), rounds = 0; ; rounds += 1) {
      expect(rounds).toBeLessThan(4 * bytes.length + 10);
      const before = from;
      if (boundary.state === "inspect") {
        from = collector.push(bytes, from, to);
        if (collector.complete) boundary.accept(collector.take());
      } else if (boundary.state === "more") {
        from = boundary.feed(bytes, from, to);
        expect(from).toBeGreaterThanOrEqual(before);
        expect(from).toBeLessThanOrEqual(to);
        if ((boundary.state as string) === "more") expect(to - from).toBeLessThanOrEqual(UNTOLD_BYTES_MAX);
      } else return;
      if (from !== before) continue;
      if (to === bytes.length) return;
      to = Math.min(to + step, bytes.length);
    }
  };
  const commands = fc.integer({ min: 0, max: 255 });
  const steps = fc.integer({ min: 1, max: 64 });

  it("never hang it, never throw, never move an offset out of the chunk", () => {
    fc.assert(fc.property(commands, modes, fc.uint8Array({ maxLength: 400 }), steps, torture), {
      numRuns: 1500,
    });
  });

  it("nor do frames of random content", () => {
    const frames = fc
      .array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 })
      .map((bodies) => encodePackets(bodies, 1));
    fc.assert(fc.property(commands, modes, frames, steps, torture), { numRuns: 1500 });
  });

  it("nor do replies of real servers with a few bytes changed", () => {
    const recorded = recordedReplies("mysql-classic").concat(recordedReplies("mariadb-modern-tracking"));
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...recorded),
        changes,
        steps,
        fc.boolean(),
        (reply, wrong, step, inspectSessionTrack) => {
          const bytes = Buffer.from(reply.reply);
          if (bytes.length === 0) return;
          for (const [at, byte] of wrong) bytes[at % bytes.length] = byte;
          torture(reply.command, { capabilities: reply.capabilities, inspectSessionTrack }, bytes, step);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
