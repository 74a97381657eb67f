// A server made of a script: it listens on a unix socket or a port of 127.0.0.1 and runs the script for every
// connection. For bytes that no real server would send.
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { BackendAddress } from "../../src/routing/route.ts";
import { greetingEncoder, type HandshakeV10 } from "../../src/wire/packets/handshake-v10.ts";
import { FrameReader, toFrames } from "./raw/frame-reader.ts";
import { removeFolder, scratchFolder } from "./scratch.ts";

/** One connection, from the server's side. */
export interface ScriptedConnection {
  readonly socket: Socket;
  /** The next packet of the client; rejects when it closes. */
  read(): Promise<Buffer>;
  /** Sends one packet. */
  send(payload: Uint8Array, sequence: number): void;
}

/** A listening script. */
export interface ScriptedServer {
  readonly address: BackendAddress;
  readonly connections: ScriptedConnection[];
  close(): Promise<void>;
}

/** Starts listening; a script that throws (its client left) ends its own connection only. */
export async function startScriptedServer(
  script: (connection: ScriptedConnection) => Promise<void> | void,
  kind: "tcp" | "unix" = "unix",
): Promise<ScriptedServer> {
  const folder = scratchFolder("scripted");
  const connections: ScriptedConnection[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const reader = new FrameReader(socket);
    const connection: ScriptedConnection = {
      socket,
      read: async () => (await reader.readFrame()).payload,
      send: (payload, sequence) => {
        if (!socket.destroyed) socket.write(toFrames(payload, sequence));
      },
    };
    connections.push(connection);
    Promise.resolve(script(connection)).catch(() => socket.destroy());
  });
  const path = join(folder, "s");
  await new Promise<void>((resolve) => {
    if (kind === "unix") server.listen(path, resolve);
    else server.listen(0, "127.0.0.1", resolve);
  });
  const address: BackendAddress =
    kind === "unix"
      ? { kind: "unix", path }
      : { kind: "tcp", host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  return {
    address,
    connections,
    close: async () => {
      for (const connection of connections) connection.socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      removeFolder(folder);
    },
  };
}

/** The scramble of {@link greeting}. */
export const scriptedScramble: Buffer = Buffer.from("abcdefghijklmnopqrst");

/** A MySQL server's greeting, with changes. */
export function greeting(changes: Partial<HandshakeV10> = {}): Buffer {
  const packet = {
    serverVersion: "8.4.3",
    connectionId: 42,
    scramble: scriptedScramble,
    capabilities: 0xdfff_ffff,
    extendedCapabilities: 0,
    collation: 255,
    statusFlags: 2,
    authPlugin: "caching_sha2_password",
    ...changes,
  };
  return greetingEncoder(packet)(packet);
}

/** An OK packet with AUTOCOMMIT. */
export const okPayload: Buffer = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/** An ERR packet. */
export function errPayload(code: number, message: string): Buffer {
  return Buffer.concat([Buffer.from([0xff, code & 0xff, code >> 8]), Buffer.from(`#HY000${message}`)]);
}
