// The file of LOAD DATA LOCAL between a scripted client and a scripted backend: where it begins and ends, and what becomes
// of a session whose file nobody reads any more.
import { describe, expect, it } from "vitest";
import { toFrames } from "../support/raw/frame-reader.ts";
import { decodeError } from "../support/raw/packets.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { waitUntil } from "../support/scratch.ts";
import { Harness, type Script } from "./harness.ts";

const load = Buffer.from("\x03LOAD DATA LOCAL INFILE 'x' INTO TABLE t");
const ping = Buffer.of(0x0e);
const fileRequest = toFrames(Buffer.from("\xfbx", "latin1"), 1);
const okAt = (sequence: number): Buffer => toFrames(Buffer.from([0, 0, 0, 2, 0, 0, 0]), sequence);

const told = { sqlMode: "", characterSet: "utf8mb4", database: null };

async function clientOf(script: Script): Promise<{ harness: Harness; client: RawClient }> {
  const harness = new Harness({ script, variables: () => told });
  return { harness, client: await harness.login() };
}

const contents = ({ backends }: Harness): string[] =>
  (backends[0]?.commands ?? []).slice(1).map((frame) => frame.toString());

/** Asks for the file, and answers `end` by an OK. */
const readingUntil =
  (end: string, sequence: number): Script =>
  (command) => {
    if (command.equals(load)) return fileRequest;
    if (command.equals(ping)) return okAt(1);
    return command.toString() === end ? okAt(sequence) : null;
  };

describe("the file of LOAD DATA LOCAL", () => {
  it("passes up to its empty packet; the next command comes behind it", async () => {
    const { harness, client } = await clientOf(readingUntil("", 4));
    client.stream.write(toFrames(load));
    expect((await client.reader.readFrame()).payload[0]).toBe(0xfb);
    const file = [toFrames(Buffer.from("one"), 2), toFrames(Buffer.alloc(0), 3), toFrames(ping)];
    client.stream.write(Buffer.concat(file));
    expect((await client.reader.readFrame()).sequence).toBe(4);
    expect((await client.reader.readFrame()).sequence).toBe(1);
    expect(contents(harness).slice(0, 2)).toEqual(["one", ""]);
  });

  it("may be sent before it is asked for", async () => {
    const { harness, client } = await clientOf(readingUntil("", 5));
    const long = Buffer.alloc(100_000, "x");
    const file = [toFrames(long, 2), toFrames(Buffer.from("two"), 3), toFrames(Buffer.alloc(0), 4)];
    client.stream.write(Buffer.concat([toFrames(load), ...file]));
    expect((await client.reader.readFrame()).payload[0]).toBe(0xfb);
    expect((await client.reader.readFrame()).sequence).toBe(5);
    expect(contents(harness)).toEqual([long.toString(), "two", ""]);
    expect((await client.command(ping)).frames.length).toBe(1);
  });

  it.each([
    ["after it was asked for", false],
    ["sent ahead", true],
  ])(
    "ends the session where a packet is out of order, and nothing from it on is passed: %s",
    async (_, ahead) => {
      const { harness, client } = await clientOf(readingUntil("", 4));
      const file = [toFrames(Buffer.from("one"), 2), toFrames(Buffer.from("\x03DROP TABLE t"), 0)];
      if (ahead) client.stream.write(Buffer.concat([toFrames(load), ...file]));
      else client.stream.write(toFrames(load));
      if (!ahead) {
        expect((await client.reader.readFrame()).payload[0]).toBe(0xfb);
        client.stream.write(Buffer.concat(file));
      }
      const { sequence, payload } = await client.reader.readFrame();
      expect([sequence, decodeError(payload)?.code]).toEqual([3, 1156]);
      expect((await client.readToEnd()).length).toBe(0);
      await waitUntil(() => harness.backends[0]?.closedBecause !== null, "the connection to be closed");
      expect(contents(harness).join()).not.toContain("DROP");
    },
  );

  it("ends the session where the server answers before the file has ended, and its connection serves nobody else", async () => {
    const { harness, client } = await clientOf(readingUntil("one", 3));
    client.stream.write(toFrames(load));
    await client.reader.readFrame();
    client.stream.write(toFrames(Buffer.from("one"), 2));
    expect((await client.reader.readFrame()).sequence).toBe(3);
    client.stream.write(toFrames(Buffer.from("\x03DROP TABLE t"), 0));
    expect((await client.readToEnd()).length).toBe(0);
    expect(harness.backends[0]?.closedBecause).toMatch(/before the end of the file/);
    expect(contents(harness)).toEqual(["one"]);
  });
});
