import { describe, expect, it } from "vitest";
import { CLIENT_SESSION_TRACK, has } from "../../../src/wire/capabilities.ts";
import { encodeFrames } from "../../../src/wire/frames.ts";
import { PacketCollector } from "../../../src/wire/packet-collector.ts";
import { decodeOk } from "../../../src/wire/packets/ok.ts";
import { ResponseBoundary } from "../../../src/wire/response-boundary.ts";
import {
  decodeSessionState,
  type SessionChange,
  withoutSessionState,
} from "../../../src/wire/session-state.ts";
import { type RecordedReply, replyModes } from "../../support/reply-corpus.ts";
import { playReply } from "./play-reply.ts";
import { recordedReplies, servers } from "./recorded-replies.ts";

const recordings = servers.flatMap((server) => replyModes.map(({ name }) => `${server}-${name}`));

describe.each(recordings)("recorded replies of %s", (name) => {
  const replies = recordedReplies(name);

  it("end where the server ended them, however they are cut", () => {
    expect(replies.length).toBeGreaterThan(80);
    const tracks = has(replies[0]?.capabilities ?? 0, CLIENT_SESSION_TRACK);
    for (const recorded of replies) {
      try {
        playReply({ ...recorded, inspectSessionTrack: tracks });
      } catch (cause) {
        throw new Error(`${recorded.label}: ${recorded.reply.toString("hex", 0, 400)}`, { cause });
      }
    }
  });
});

describe.each(["mariadb-modern-tracking", "mysql-modern-tracking"])("session state of %s", (name) => {
  it("is read whole", () => {
    const seen = new Map<string, SessionChange[]>();
    for (const recorded of recordedReplies(name)) {
      const changes: SessionChange[] = [];
      rewriteOks(recorded, (payload) => {
        const { sessionState } = decodeOk(payload, CLIENT_SESSION_TRACK);
        if (sessionState !== null) changes.push(...decodeSessionState(sessionState));
        return payload;
      });
      seen.set(recorded.label, changes);
    }
    expect(seen.get("USE mysql")).toContainEqual({ kind: "schema", name: "mysql" });
    expect(seen.get("SET NAMES latin1")).toContainEqual({
      kind: "variable",
      name: "character_set_client",
      value: "latin1",
    });
    const zones = seen.get("SET time_zone = '+01:00', sql_mode = 'ANSI_QUOTES'");
    expect(zones).toContainEqual({ kind: "variable", name: "time_zone", value: "+01:00" });
    expect(zones).toContainEqual({ kind: "variable", name: "sql_mode", value: "ANSI_QUOTES" });
    expect(zones).toContainEqual({ kind: "state", changed: true });
    expect(seen.get("BEGIN")).toContainEqual({ kind: "transaction state", flags: "T_______" });
    expect([...seen.values()].flat().map(({ kind }) => kind)).not.toContain("unknown");
  });
});

describe.each(servers)("withoutSessionState(), over all replies of %s", (server) => {
  // Numbers that differ from connection to connection.
  const varies = /^(PREPARE|STATISTICS|FETCH (behind|without)|EXECUTE of a closed|SET SESSION session_track)/;
  const stable = (replies: RecordedReply[]): RecordedReply[] =>
    replies.filter(({ label }) => !varies.test(label));

  it.each(["classic", "modern"])("makes them what a client without SESSION_TRACK gets: %s", (mode) => {
    const tracked = stable(recordedReplies(`${server}-${mode}-tracking`));
    const plain = stable(recordedReplies(`${server}-${mode}`));
    let rewritten = 0;
    for (const [index, recorded] of tracked.entries()) {
      const stripped = rewriteOks(recorded, (payload) => {
        rewritten += 1;
        return withoutSessionState(payload);
      });
      expect(recorded.label).toBe(plain[index]?.label);
      expect(stripped.toString("hex"), recorded.label).toBe(plain[index]?.reply.toString("hex"));
    }
    expect(rewritten).toBeGreaterThan(20);
    expect(tracked.length).toBe(plain.length);
  });
});

/** The reply as a relay would forward it that rewrites the OKs which the boundary lets it see. */
function rewriteOks(recorded: RecordedReply, rewrite: (payload: Buffer) => Uint8Array): Buffer {
  const { reply, capabilities, command } = recorded;
  const boundary = new ResponseBoundary(capabilities, { inspectSessionTrack: true });
  const collector = new PacketCollector();
  const forwarded: Uint8Array[] = [];
  boundary.begin(command);
  let from = 0;
  while (boundary.state === "more" && from < reply.length) {
    const to = boundary.feed(reply, from, reply.length);
    forwarded.push(reply.subarray(from, to));
    from = to;
    if ((boundary.state as string) !== "inspect") continue;
    from = collector.push(reply, from, reply.length);
    const { sequence } = collector;
    const payload = collector.take();
    forwarded.push(encodeFrames(boundary.inspectKind === "ok" ? rewrite(payload) : payload, sequence));
    boundary.accept(payload);
  }
  expect(boundary.state).toBe("complete");
  return Buffer.concat(forwarded);
}
