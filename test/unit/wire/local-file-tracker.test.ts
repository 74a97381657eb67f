import { describe, expect, it } from "vitest";
import { FRAME_PAYLOAD_BYTES_MAX } from "../../../src/wire/limits.ts";
import { LocalFileTracker } from "../../../src/wire/local-file-tracker.ts";
import { hex } from "./codec-table.ts";

describe("LocalFileTracker", () => {
  const file = hex("03000002 000000 01000003 61 00000004");

  it("ends behind the empty packet, cut anywhere", () => {
    const bytes = Buffer.concat([file, hex("01000000 0e")]);
    for (let cut = 0; cut <= file.length; cut += 1) {
      const tracker = new LocalFileTracker(1);
      expect(tracker.feed(bytes, 0, cut)).toBe(cut);
      expect(tracker.complete).toBe(cut === file.length);
      expect(tracker.feed(bytes, cut, bytes.length)).toBe(file.length);
      expect(tracker.complete).toBe(true);
    }
  });

  it.each([
    ["the first packet", "03000003 000000", 3, 2],
    ["a later packet", "03000002 000000 01000002 61", 10, 3],
    ["the empty packet", "03000002 000000 00000000", 10, 3],
    ["the end of a packet of several frames", `ffffff02 ${"00".repeat(0xffffff)} 00000004`, 0x1000006, 3],
  ])("stops at a wrong sequence number in %s, cut anywhere", (_, packets, offset, wanted) => {
    const bytes = hex(packets);
    for (const cut of [0, 1, 3, offset - 2, offset, offset + 1]) {
      const tracker = new LocalFileTracker(1);
      const first = tracker.feed(bytes, 0, cut);
      expect(tracker.feed(bytes, first, bytes.length)).toBe(offset);
      expect(tracker).toMatchObject({ outOfOrder: true, complete: false, sequence: wanted });
      // Whatever comes then.
      expect(tracker.feed(hex("02 00000003"), 0, 5)).toBe(0);
    }
  });

  it("counts sequence numbers on from 255 to 0", () => {
    const tracker = new LocalFileTracker(254);
    expect(tracker.feed(hex("010000ff 61 01000000 62 00000001"), 0, 14)).toBe(14);
    expect(tracker).toMatchObject({ outOfOrder: false, complete: true });
  });

  it("an empty file is an empty packet", () => {
    const tracker = new LocalFileTracker(1);
    expect(tracker.feed(hex("00000002"), 0, 4)).toBe(4);
    expect(tracker.complete).toBe(true);
  });

  it("takes the empty frame behind a full one for the end of that packet, not of the file", () => {
    const tracker = new LocalFileTracker(1);
    const full = Buffer.alloc(4 + FRAME_PAYLOAD_BYTES_MAX);
    full.writeUIntLE(FRAME_PAYLOAD_BYTES_MAX, 0, 3);
    full[3] = 2;
    tracker.feed(full, 0, full.length);
    tracker.feed(hex("00000003"), 0, 4);
    expect(tracker.complete).toBe(false);
    tracker.feed(hex("00000004"), 0, 4);
    expect(tracker.complete).toBe(true);
  });
});
