import { describe, expect, it } from "vitest";
import { encodeFrames, encodePackets, FrameReader, frameCount } from "../../../src/wire/frames.ts";
import { FRAME_PAYLOAD_BYTES_MAX } from "../../../src/wire/limits.ts";
import { hex } from "./codec-table.ts";

describe("encodeFrames()", () => {
  it.each([
    ["nothing", "", 3, "00000003"],
    ["a short payload", "0e", 0, "01000000 0e"],
    ["a sequence number that wraps", "0e", 256, "01000000 0e"],
  ])("%s", (_, payload, sequence, expected) => {
    expect(encodeFrames(hex(payload), sequence).toString("hex")).toBe(hex(expected).toString("hex"));
  });

  it.each([
    [FRAME_PAYLOAD_BYTES_MAX - 1, 1],
    [FRAME_PAYLOAD_BYTES_MAX, 2],
    [FRAME_PAYLOAD_BYTES_MAX + 1, 2],
    [2 * FRAME_PAYLOAD_BYTES_MAX, 3],
  ])("a payload of %i bytes takes %i frames, the last one below 0xFFFFFF", (bytes, frames) => {
    const payload = Buffer.alloc(bytes, 0xfe);
    payload[FRAME_PAYLOAD_BYTES_MAX - 1] = 1;
    const encoded = encodeFrames(payload, 255);
    expect(frameCount(bytes)).toBe(frames);
    expect(encoded.length).toBe(bytes + 4 * frames);
    expect(encoded[3]).toBe(255);
    if (frames > 1) expect(encoded.readUInt32LE(FRAME_PAYLOAD_BYTES_MAX + 4) >>> 24).toBe(0);
    const reader = new FrameReader(bytes, 255);
    expect(reader.push(encoded)).toBe(encoded.length);
    expect(reader.state).toBe("complete");
    expect(reader.take().equals(payload)).toBe(true);
    expect(reader.sequence).toBe((255 + frames) & 0xff);
  });
});

describe("encodePackets()", () => {
  it("numbers packets on", () => {
    expect(encodePackets([hex("01"), hex(""), hex("0203")], 255).toString("hex")).toBe(
      hex("010000ff01 00000000 020000010203").toString("hex"),
    );
  });
});

describe("FrameReader", () => {
  it("stops behind a packet", () => {
    const reader = new FrameReader(10);
    const bytes = hex("01000000 aa 01000001 bb");
    expect(reader.push(bytes)).toBe(5);
    expect(reader.state).toBe("complete");
    expect(reader.push(bytes, 5)).toBe(5);
    expect(reader.take().toString("hex")).toBe("aa");
    expect(reader.push(bytes, 5)).toBe(10);
    expect(reader.take().toString("hex")).toBe("bb");
    expect(reader.collecting).toBe(false);
  });

  it("takes an empty packet", () => {
    const reader = new FrameReader(10);
    reader.push(hex("00000000"));
    expect(reader.state).toBe("complete");
    expect(reader.take().length).toBe(0);
  });

  it("wants the sequence number that is due, and says so before it judges the length", () => {
    const reader = new FrameReader(10, 2);
    expect(reader.push(Buffer.from("GET / HTTP/1.1\r\n"))).toBe(4);
    expect(reader.state).toBe("out of order");
    expect(reader.push(hex("01000002aa"))).toBe(0);
  });

  it("refuses a payload beyond its limit at the header", () => {
    const reader = new FrameReader(10);
    reader.push(hex("0b000000"));
    expect(reader.state).toBe("too large");
    const exact = new FrameReader(10);
    exact.push(hex("0a000000"));
    expect(exact.state).toBe("more");
  });

  it("counts all frames of a packet against the limit", () => {
    const reader = new FrameReader(FRAME_PAYLOAD_BYTES_MAX + 1);
    reader.push(hex("ffffff00"));
    reader.push(Buffer.alloc(FRAME_PAYLOAD_BYTES_MAX));
    expect(reader.state).toBe("more");
    reader.push(hex("02000001"));
    expect(reader.state).toBe("too large");
  });

  it("takes single bytes without a growing cost", () => {
    const payload = Buffer.alloc(200_000, 1);
    const bytes = encodeFrames(payload, 0);
    const reader = new FrameReader(payload.length);
    for (let at = 0; at < bytes.length; at += 1) reader.push(bytes, at, at + 1);
    expect(reader.take().equals(payload)).toBe(true);
  });
});
