// Plays one reply to the response boundary as the relay does, cut into chunks in any way, and records what a client
// would see.
import { expect } from "vitest";
import { encodeFrames } from "../../../src/wire/frames.ts";
import { PacketCollector } from "../../../src/wire/packet-collector.ts";
import { type InspectKind, ResponseBoundary, UNTOLD_BYTES_MAX } from "../../../src/wire/response-boundary.ts";

/** A reply and the command that asked for it. */
export interface PlayedReply {
  readonly command: number;
  readonly capabilities: number;
  readonly inspectSessionTrack?: boolean;
  readonly reply: Buffer;
}

/** What happened. */
export interface Walk {
  readonly boundary: ResponseBoundary;
  readonly forwarded: Buffer;
  readonly inspected: readonly InspectKind[];
  readonly fault: string;
  /** Offset in the reply at which the state became `complete`; -1: never. */
  readonly completeAt: number;
}

/** Walks over the reply in chunks that end at `cuts` (ascending offsets). */
export function walkReply(
  played: PlayedReply,
  boundary: ResponseBoundary = boundaryFor(played),
  cuts: readonly number[] = [],
): Walk {
  const { reply } = played;
  const collector = new PacketCollector();
  const forwarded: Buffer[] = [];
  const inspected: InspectKind[] = [];
  let completeAt = -1;
  let rest: Buffer = Buffer.alloc(0);
  let start = 0;
  boundary.begin(played.command);
  for (const end of [...cuts, reply.length]) {
    const chunk = Buffer.concat([rest, reply.subarray(start, end)]);
    const chunkStart = start - rest.length;
    start = end;
    let from = 0;
    for (let before = -1, was = ""; before !== from || was !== boundary.state; ) {
      before = from;
      was = boundary.state;
      if (boundary.state === "more") {
        from = boundary.feed(chunk, from, chunk.length);
        forwarded.push(chunk.subarray(before, from));
      } else if (boundary.state === "inspect") {
        from = collector.push(chunk, from, chunk.length);
        if (collector.complete) forwarded.push(inspectPacket(boundary, collector, inspected));
      }
      if ((boundary.state as string) === "complete" && completeAt < 0) completeAt = chunkStart + from;
    }
    rest = Buffer.from(chunk.subarray(from));
    if (boundary.state === "more") expect(rest.length).toBeLessThanOrEqual(UNTOLD_BYTES_MAX);
  }
  return { boundary, forwarded: Buffer.concat(forwarded), inspected, fault: boundary.fault, completeAt };
}

function inspectPacket(
  boundary: ResponseBoundary,
  collector: PacketCollector,
  inspected: InspectKind[],
): Buffer {
  const { sequence } = collector;
  const payload = collector.take();
  inspected.push(boundary.inspectKind);
  boundary.accept(payload);
  return encodeFrames(payload, sequence);
}

/**
 * Expects that a well-formed reply is forwarded whole and ends where it ends: in one chunk, byte by byte, and cut in two
 * at every offset.
 */
export function playReply(played: PlayedReply): void {
  const { reply } = played;
  const all = Array.from({ length: Math.max(0, reply.length - 1) }, (_, index) => index + 1);
  const whole = walkReply(played);
  const wanted = describeWalk(whole, reply).replace(/^\["other bytes[^"]*"/, '["equal bytes"');
  // Long replies are cut at every offset of their beginning and end.
  const singly = all.filter((cut) => cut < 50 || cut > reply.length - 50);
  for (const cuts of [[], all, ...singly.map((cut) => [cut])]) {
    const outcome = describeWalk(walkReply(played, boundaryFor(played), cuts), reply);
    // Comparing strings first: this runs some hundred thousand times.
    if (outcome !== wanted) expect(outcome, `cuts at ${cuts.slice(0, 5).join(", ")}`).toBe(wanted);
  }
  expect(whole.completeAt).toBe(reply.length);
  expect(whole.fault).toBe("");
}

function describeWalk(walk: Walk, reply: Buffer): string {
  const bytes = walk.forwarded.equals(reply)
    ? "equal bytes"
    : `other bytes ${walk.forwarded.toString("hex")}`;
  const { inspected, completeAt, fault, boundary } = walk;
  return JSON.stringify([bytes, inspected, completeAt, fault, boundary.summary]);
}

function boundaryFor(played: PlayedReply): ResponseBoundary {
  return new ResponseBoundary(played.capabilities, {
    inspectSessionTrack: played.inspectSessionTrack ?? false,
  });
}
