// Both channels keep one contract: chunks in order, backpressure both ways, one onClosed.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { duplexPair } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import type { ByteChannel } from "../../../src/base/byte-channel.ts";
import { DuplexChannel } from "../../../src/base/duplex-channel.ts";
import { SocketChannel } from "../../../src/base/socket-channel.ts";

interface Pair {
  readonly channel: ByteChannel;
  readonly peer: import("node:stream").Duplex;
}

async function socketPair(Channel: typeof SocketChannel = SocketChannel): Promise<Pair> {
  const server = net.createServer({ pauseOnConnect: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const peer = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const [accepted] = (await once(server, "connection")) as [net.Socket];
  server.close();
  const channel = Channel.accept(accepted, 4096);
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
] as const)("%s", (_name, makePair: () => Promise<Pair>) => {
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

/** Counts what goes through the stream of a socket. */
function countStreamWrites(socket: net.Socket): () => number {
  const write = vi.spyOn(socket, "write");
  return () => write.mock.calls.length;
}

describe("a SocketChannel's writes", () => {
  it("go past the stream, once the first one has shown how", async () => {
    const first = await socketPair();
    first.channel.write(Buffer.from("learn"));
    const { channel, peer } = await socketPair();
    const streamWrites = countStreamWrites((channel as SocketChannel).socket);
    const seen: Buffer[] = [];
    peer.on("data", (chunk: Buffer) => seen.push(chunk));
    expect(channel.write(Buffer.from("abc"))).toBe(true);
    expect(channel.write(Buffer.from("def"))).toBe(true);
    await expect.poll(() => Buffer.concat(seen).toString()).toBe("abcdef");
    expect(streamWrites()).toBe(0);
    first.channel.destroy();
    channel.destroy();
  });

  it("all arrive before the end, also those that the kernel has not taken yet", async () => {
    const { channel, peer } = await socketPair();
    collect(channel);
    peer.pause();
    const sent = createHash("sha1");
    let sentBytes = 0;
    for (let index = 0; index < 40; index += 1) {
      const chunk = randomBytes(200_000 + index);
      sent.update(chunk);
      sentBytes += chunk.length;
      channel.write(chunk);
    }
    expect(channel.unwrittenBytes).toBeGreaterThan(0);
    channel.end();
    const seen = createHash("sha1");
    let seenBytes = 0;
    peer.on("data", (chunk: Buffer) => {
      seen.update(chunk);
      seenBytes += chunk.length;
    });
    peer.resume();
    await once(peer, "end");
    expect(seenBytes).toBe(sentBytes);
    expect(seen.digest("hex")).toBe(sent.digest("hex"));
    expect(channel.unwrittenBytes).toBe(0);
  });

  it.each(["resetAndDestroy", "destroy"] as const)(
    "that wait are over when the peer is gone (%s)",
    async (how) => {
      const { channel, peer } = await socketPair();
      const seen = collect(channel);
      channel.resume();
      peer.pause();
      while (channel.write(Buffer.alloc(1 << 20, 7)));
      const writable = new Promise<void>((resolve) => channel.whenWritable(resolve));
      if (how === "destroy") channel.destroy();
      else (peer as net.Socket).resetAndDestroy();
      await seen.closed;
      await writable;
      expect(channel.write(Buffer.from("x"))).toBe(true);
      expect(channel.closed).toBe(true);
      peer.destroy();
    },
  );

  it("to a connection that was reset close the channel with the error", async () => {
    const { channel, peer } = await socketPair();
    const seen = collect(channel);
    channel.write(Buffer.from("learn"));
    await once(peer, "data");
    (peer as net.Socket).resetAndDestroy();
    // At once: the next turn of the event loop would read the reset first.
    channel.write(Buffer.from("x"));
    expect(await seen.closed).toMatchObject({ syscall: "write" });
  });

  it("behind its end are refused", async () => {
    const { channel, peer } = await socketPair();
    const seen: Buffer[] = [];
    peer.on("data", (chunk: Buffer) => seen.push(chunk));
    channel.write(Buffer.from("abc"));
    channel.end();
    channel.write(Buffer.from("def"));
    await once(peer, "close");
    expect(Buffer.concat(seen).toString()).toBe("abc");
  });

  it("go through the stream where Node's handles are not as expected", async () => {
    vi.resetModules();
    const fresh = await import("../../../src/base/socket-channel.ts");
    const { channel, peer } = await socketPair(fresh.SocketChannel);
    const { socket } = channel as SocketChannel;
    const streamWrites = countStreamWrites(socket);
    const seen: Buffer[] = [];
    peer.on("data", (chunk: Buffer) => seen.push(chunk));
    // What reaches no handle at once teaches nothing.
    socket.cork();
    channel.write(Buffer.from("abc"));
    socket.uncork();
    channel.write(Buffer.from("def"));
    await expect.poll(() => Buffer.concat(seen).toString()).toBe("abcdef");
    channel.write(Buffer.from("ghi"));
    await expect.poll(() => Buffer.concat(seen).toString()).toBe("abcdefghi");
    expect(streamWrites()).toBe(3);
    channel.destroy();
  });
});
