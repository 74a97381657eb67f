import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { limitPerAddress } from "../../../src/admin/admin-server.ts";

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

describe("limitPerAddress()", () => {
  const server = new EventEmitter();
  limitPerAddress(server as never);
  const connect = (address: string): FakeSocket => {
    const socket = new FakeSocket(address);
    server.emit("connection", socket);
    return socket;
  };

  it("closes what one address opens beyond its share, and nothing of others", () => {
    const greedy = Array.from({ length: 40 }, () => connect("192.0.2.1"));
    expect(greedy.filter(({ destroyed }) => destroyed).length).toBe(8);
    expect(connect("192.0.2.2").destroyed).toBe(false);
    greedy[0]?.destroy();
    expect(connect("192.0.2.1").destroyed).toBe(false);
    expect(connect("192.0.2.1").destroyed).toBe(true);
    expect(Array.from({ length: 40 }, () => connect("127.0.0.1")).some(({ destroyed }) => destroyed)).toBe(
      false,
    );
  });
});
