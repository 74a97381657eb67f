import { describe, expect, it } from "vitest";
import {
  CommandCollector,
  isWholeCommand,
  payloadOf,
  replySequenceOf,
} from "../../../src/wire/command-boundary.ts";
import { encodeFrames } from "../../../src/wire/frames.ts";
import { FRAME_PAYLOAD_BYTES_MAX } from "../../../src/wire/limits.ts";
import { hex } from "./codec-table.ts";

const mib = 1024 * 1024;

describe("isWholeCommand()", () => {
  it.each<[string, string, boolean]>([
    ["a ping", "01000000 0e", true],
    ["a query", "09000000 0353454c4543542031", true],
    ["nothing", "", false],
    ["a header without its command", "01000000", false],
    ["an empty packet", "00000000", false],
    ["a wrong sequence number", "01000001 0e", false],
    ["half a query", "09000000 0353454c", false],
    ["two commands", "01000000 0e 01000000 0e", false],
  ])("%s", (_, bytes, expected) => {
    expect(isWholeCommand(hex(bytes))).toBe(expected);
  });

  it("says no to what the collector has to refuse", () => {
    expect(isWholeCommand(hex("02000000 0e0e"), 3)).toBe(true);
    expect(isWholeCommand(hex("02000000 0e0e"), 2)).toBe(false);
    expect(isWholeCommand(encodeFrames(Buffer.alloc(FRAME_PAYLOAD_BYTES_MAX), 0))).toBe(false);
    const full = Buffer.alloc(4 + FRAME_PAYLOAD_BYTES_MAX);
    full.writeUIntLE(FRAME_PAYLOAD_BYTES_MAX, 0, 3);
    expect(isWholeCommand(full)).toBe(false);
  });
});

describe("CommandCollector", () => {
  it("takes commands one by one out of a chunk, and goes on in the next", () => {
    const collector = new CommandCollector(100);
    const bytes = hex("01000000 0e 02000000 0331 0300");
    expect(collector.push(bytes)).toEqual({ kind: "command", consumedBytes: 5, frames: hex("01000000 0e") });
    expect(collector.push(bytes, 5)).toEqual({
      kind: "command",
      consumedBytes: 6,
      frames: hex("02000000 0331"),
    });
    expect(collector.collecting).toBe(false);
    expect(collector.push(bytes, 11)).toEqual({ kind: "more", consumedBytes: 2 });
    expect(collector.collecting).toBe(true);
    expect(collector.push(hex("0000 033132"))).toEqual({
      kind: "command",
      consumedBytes: 5,
      frames: hex("03000000 033132"),
    });
  });

  it("takes an empty packet as a command without command byte", () => {
    expect(new CommandCollector(1).push(hex("00000000"))).toEqual({
      kind: "command",
      consumedBytes: 4,
      frames: hex("00000000"),
    });
  });

  it("a command split anywhere is the same command", () => {
    const bytes = hex("05000000 0301020304");
    for (let cut = 1; cut < bytes.length; cut += 1) {
      const collector = new CommandCollector(6);
      expect(collector.push(bytes, 0, cut)).toEqual({ kind: "more", consumedBytes: cut });
      expect(collector.push(bytes, cut)).toEqual({
        kind: "command",
        consumedBytes: bytes.length - cut,
        frames: bytes,
      });
    }
  });

  it.each([
    ["a first frame with number 1", "01000001 0e", "ER_NET_PACKETS_OUT_OF_ORDER", 0],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n").toString("hex"), "ER_NET_PACKETS_OUT_OF_ORDER", 0],
    ["a payload of max_allowed_packet", "0a000000", "ER_NET_PACKET_TOO_LARGE", 1],
  ])("refuses %s at its header, and takes nothing after it", (_, bytes, symbol, replySequence) => {
    const collector = new CommandCollector(10);
    const error = { kind: "error", symbol, replySequence };
    expect(collector.push(hex(bytes))).toEqual({ ...error, consumedBytes: 4 });
    expect(collector.push(hex("01000000 0e"))).toEqual({ ...error, consumedBytes: 0 });
  });

  it.each([
    [FRAME_PAYLOAD_BYTES_MAX, 2],
    [FRAME_PAYLOAD_BYTES_MAX + 5, 2],
    [2 * FRAME_PAYLOAD_BYTES_MAX, 3],
  ])("takes a command of %i bytes in %i frames", (payloadBytes, frames) => {
    const payload = Buffer.alloc(payloadBytes, 0xff);
    payload[0] = 3;
    const bytes = encodeFrames(payload, 0);
    const collector = new CommandCollector(payloadBytes + 1);
    let consumed = 0;
    for (;;) {
      const result = collector.push(bytes, consumed, Math.min(bytes.length, consumed + mib));
      consumed += result.consumedBytes;
      if (result.kind === "more") continue;
      if (result.kind !== "command") throw new Error(result.kind);
      expect(result.frames.equals(bytes)).toBe(true);
      expect(Buffer.compare(payloadOf(result.frames), payload)).toBe(0);
      expect(replySequenceOf(result.frames)).toBe(frames);
      break;
    }
    expect(consumed).toBe(bytes.length);
  });

  it("counts all frames against the limit, and lets go of the memory", () => {
    const collector = new CommandCollector(FRAME_PAYLOAD_BYTES_MAX + 1);
    collector.push(encodeFrames(Buffer.alloc(FRAME_PAYLOAD_BYTES_MAX), 0), 0, 4 + FRAME_PAYLOAD_BYTES_MAX);
    expect(collector.capacityBytes).toBeGreaterThan(FRAME_PAYLOAD_BYTES_MAX);
    expect(collector.push(hex("01000001"))).toMatchObject({
      kind: "error",
      symbol: "ER_NET_PACKET_TOO_LARGE",
      replySequence: 2,
    });
    expect(collector.capacityBytes).toBe(0);
  });

  it("wants the numbers of the further frames, too", () => {
    const collector = new CommandCollector(64 * mib);
    collector.push(encodeFrames(Buffer.alloc(FRAME_PAYLOAD_BYTES_MAX), 0), 0, 4 + FRAME_PAYLOAD_BYTES_MAX);
    expect(collector.push(hex("01000000"))).toMatchObject({
      kind: "error",
      symbol: "ER_NET_PACKETS_OUT_OF_ORDER",
    });
  });

  it("takes memory for what has arrived, not for what was announced", () => {
    const collector = new CommandCollector(512 * mib);
    collector.push(hex("feffff00 03"));
    expect(collector.capacityBytes).toBeLessThanOrEqual(1024);
    collector.push(Buffer.alloc(3000));
    expect(collector.capacityBytes).toBeLessThan(8192);
  });

  it("one byte at a time costs no more memory than all at once", () => {
    const bytes = encodeFrames(Buffer.alloc(100_000, 3), 0);
    const collector = new CommandCollector(mib);
    for (let at = 0; at < bytes.length - 1; at += 1) {
      const { kind } = collector.push(bytes, at, at + 1);
      if (at % 1000 === 0) expect(kind).toBe("more");
      if (at % 1000 === 0) expect(collector.capacityBytes).toBeLessThanOrEqual(Math.max(1024, 2 * (at + 4)));
    }
    expect(collector.collectedBytes).toBe(bytes.length - 1);
    expect(collector.push(bytes, bytes.length - 1)).toMatchObject({
      kind: "command",
      consumedBytes: 1,
    });
  });
});
