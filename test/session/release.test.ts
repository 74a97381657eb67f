// When a session gives its backend connection back.
import { describe, expect, it } from "vitest";
import { toFrames } from "../support/raw/frame-reader.ts";
import { waitUntil } from "../support/scratch.ts";
import { Harness } from "./harness.ts";

const query = (sql: string): Buffer => Buffer.concat([Buffer.of(3), Buffer.from(sql)]);

/** One row of `bytes` bytes in classic EOF mode. */
function largeReply(bytes: number): Buffer {
  const definition = Buffer.from("036465660000000178000c3f0001000000fd0000000000", "hex");
  const head = Buffer.alloc(4);
  head[0] = 0xfd;
  head.writeUIntLE(bytes, 1, 3);
  const eof = Buffer.from([0xfe, 0, 0, 2, 0]);
  return Buffer.concat([
    toFrames(Buffer.of(1), 1),
    toFrames(definition, 2),
    toFrames(eof, 3),
    toFrames(Buffer.concat([head, Buffer.alloc(bytes, 0x61)]), 4),
    toFrames(eof, 5),
  ]);
}

describe("a backend connection", () => {
  it("is not lent to another session while its last bytes wait for a slow client", async () => {
    const harness = new Harness({ script: () => largeReply(500_000) });
    const client = await harness.login();
    client.reader.pause(); // the client sends a query and QUIT, and reads nothing
    client.stream.write(Buffer.concat([toFrames(query("SELECT x")), toFrames(Buffer.of(1))]));
    await waitUntil(() => harness.backends[0]?.commands.length === 1, "the query to arrive");
    await harness.sessions[0]; // the session has ended: QUIT was read
    const backend = harness.backends[0];
    expect(backend?.released).toBe(false);
    expect(backend?.closedBecause).toBeNull();
    const reply = await client.readReply(3);
    expect(reply.byteCount).toBe(largeReply(500_000).length);
    await waitUntil(() => backend?.released === true, "the release");
  });

  it("is lent again at once when the client has taken everything", async () => {
    const harness = new Harness();
    const client = await harness.login();
    await client.query("SELECT 1");
    client.stream.write(toFrames(Buffer.of(1)));
    await harness.sessions[0];
    expect(harness.backends[0]?.released).toBe(true);
  });
});
