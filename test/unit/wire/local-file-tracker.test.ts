import { describe, expect, it } from "vitest";
import { FRAME_PAYLOAD_BYTES_MAX } from "../../../src/wire/limits.ts";
import { LocalFileTracker } from "../../../src/wire/local-file-tracker.ts";
import { hex } from "./codec-table.ts";

describe("LocalFileTracker", () => {
  const file = hex("03000002 000000 01000003 61 00000004");

  it("ends behind the empty packet, cut anywhere", () => {
    const bytes = Buffer.concat([file, hex("01000000 0e")]);
    for (let cut = 0; cut <= file.length; cut += 1) {
      const tracker = new LocalFileTracker();
      expect(tracker.feed(bytes, 0, cut)).toBe(cut);
      expect(tracker.complete).toBe(cut === file.length);
      expect(tracker.feed(bytes, cut, bytes.length)).toBe(file.length);
      expect(tracker.complete).toBe(true);
    }
  });

  it("an empty file is an empty packet", () => {
    const tracker = new LocalFileTracker();
    expect(tracker.feed(hex("00000002"), 0, 4)).toBe(4);
    expect(tracker.complete).toBe(true);
  });

  it("takes the empty frame behind a full one for the end of that packet, not of the file", () => {
    const tracker = new LocalFileTracker();
    const full = Buffer.alloc(4 + FRAME_PAYLOAD_BYTES_MAX);
    full.writeUIntLE(FRAME_PAYLOAD_BYTES_MAX, 0, 3);
    tracker.feed(full, 0, full.length);
    tracker.feed(hex("00000003"), 0, 4);
    expect(tracker.complete).toBe(false);
    tracker.feed(hex("00000004"), 0, 4);
    expect(tracker.complete).toBe(true);
  });
});
