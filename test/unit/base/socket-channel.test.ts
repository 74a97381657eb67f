// What a new connection costs V8: no hidden class of its own. (What channels do with bytes: byte-channel.test.ts.)
import { createRequire } from "node:module";
import v8 from "node:v8";
import { afterEach, beforeEach, expect, it } from "vitest";
import { SocketChannel } from "../../../src/base/socket-channel.ts";

v8.setFlagsFromString("--allow-natives-syntax");
const haveSameMap = new Function("a", "b", "return %HaveSameMap(a, b)") as (a: object, b: object) => boolean;

/** What net.Socket asks of a handle, without a connection behind it. */
const bareHandle = () => ({
  reading: false,
  onread: null,
  readStart: () => 0,
  readStop: () => 0,
  useUserBuffer: () => {},
  getAsyncId: () => 1,
  close: (done: () => void) => setImmediate(done),
});

// net.Socket hands the copy of its options, completed by itself, to the constructor that it finds here.
const stream = createRequire(import.meta.url)("node:stream") as { Duplex: (options: object) => void };
const duplex = stream.Duplex;
const seen: object[] = [];

beforeEach(() => {
  stream.Duplex = new Proxy(duplex, {
    apply: (target, socket: object, [options]: [object]) => {
      seen.push(options);
      target.call(socket, options);
    },
  });
});

afterEach(() => {
  stream.Duplex = duplex;
});

it("sockets of accepted connections share one hidden class of options", () => {
  for (let index = 0; index < 200; index += 1) SocketChannel.overHandle(bareHandle(), 4096).destroy();
  expect(seen).toHaveLength(200);
  const last = seen.at(-1) ?? {};
  // The first ones are before V8 has learnt what the fields hold.
  expect(seen.slice(100).filter((options) => !haveSameMap(options, last))).toHaveLength(0);
});
