// Both channels keep one contract: chunks in order, backpressure both ways, one onClosed.
import { once } from "node:events";
import net from "node:net";
import { duplexPair } from "node:stream";
import { describe, expect, it } from "vitest";
import type { ByteChannel } from "../../../src/base/byte-channel.ts";
import { DuplexChannel } from "../../../src/base/duplex-channel.ts";
import { SocketChannel } from "../../../src/base/socket-channel.ts";

interface Pair {
  readonly channel: ByteChannel;
  readonly peer: import("node:stream").Duplex;
}

async function socketPair(): Promise<Pair> {
  const server = net.createServer({ pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [net.Socket];
  server.close();
  const channel = SocketChannel.accept(accepted, 4096);
  if (channel === null) throw new Error("this Node version has no socket handle to take over");
  return { channel, peer };
}

async function streamPair(): Promise<Pair> {
  const [a, b] = duplexPair();
  return { channel: new DuplexChannel(a), peer: b };
}

function collect(channel: ByteChannel): { bytes: () => Buffer; closed: Promise<Error | null> } {
  const chunks: Buffer[] = [];
  let closed: (error: Error | null) => void = () => {};
  const promise = new Promise<Error | null>((resolve) => {
    closed = resolve;
  });
  channel.setReceiver({
    onBytes: (chunk) => void chunks.push(Buffer.from(chunk)),
    onClosed: (error) => closed(error),
  });
  return { bytes: () => Buffer.concat(chunks), closed: promise };
}

describe.each([
  ["SocketChannel", socketPair],
  ["DuplexChannel", streamPair],
] as const)("%s", (_name, makePair) => {
  it("hands over every byte in order and tells the end once", async () => {
    const { channel, peer } = await makePair();
    const seen = collect(channel);
    channel.resume();
    const sent = Buffer.from(Array.from({ length: 50_000 }, (_unused, index) => index & 255));
    peer.write(sent.subarray(0, 1));
    peer.end(sent.subarray(1));
    expect(await seen.closed).toBeNull();
    expect(seen.bytes().equals(sent)).toBe(true);
    expect(channel.closed).toBe(true);
  });

  it("reads nothing while paused", async () => {
    const { channel, peer } = await makePair();
    const seen = collect(channel);
    peer.write("abc");
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.bytes().length).toBe(0);
    channel.resume();
    await expect.poll(() => seen.bytes().toString()).toBe("abc");
    channel.pause();
    peer.write("def");
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.bytes().toString()).toBe("abc");
    channel.resume();
    await expect.poll(() => seen.bytes().toString()).toBe("abcdef");
    peer.end();
    await seen.closed;
  });

  it("says when the kernel has not taken everything, and calls back when it has", async () => {
    const { channel, peer } = await makePair();
    collect(channel);
    peer.pause();
    const chunk = Buffer.alloc(1 << 20, 7);
    let written = 0;
    while (channel.write(chunk) && written < 200) written += 1;
    expect(channel.unwrittenBytes).toBeGreaterThan(0);
    let writable = false;
    channel.whenWritable(() => {
      writable = true;
    });
    expect(writable).toBe(false);
    peer.resume();
    await expect.poll(() => writable).toBe(true);
    expect(channel.unwrittenBytes).toBe(0);
    channel.destroy();
  });

  it("destroy() tells the receiver once, and later writes are swallowed", async () => {
    const { channel } = await makePair();
    let calls = 0;
    channel.setReceiver({
      onBytes: () => {},
      onClosed: () => {
        calls += 1;
      },
    });
    channel.destroy();
    channel.destroy();
    expect(calls).toBe(1);
    expect(channel.write(Buffer.from("x"))).toBe(true);
    await new Promise<void>((resolve) => channel.whenWritable(resolve));
  });
});
