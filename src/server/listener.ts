// Accepts clients on TCP and on a unix socket, reads a PROXY header where one is due, and hands each connection over
// as a ClientTransport. Knows nothing of MySQL: the server speaks first there, and that is the session's part.

import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import net from "node:net";
import type { ByteChannel } from "../base/byte-channel.ts";
import { DuplexChannel } from "../base/duplex-channel.ts";
import { canonicalAddress, type IpNetwork } from "../base/ip-network.ts";
import { SocketChannel } from "../base/socket-channel.ts";
import type { Peer } from "../identity/peer.ts";
import type { ClientTlsUpgrader, ClientTransport } from "../session/client-transport.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ListenOptions } from "./gateway-options.ts";
import { answers } from "./listen-places.ts";
import { readProxyHeader } from "./read-proxy-header.ts";
import type { TlsAcceptor } from "./tls-acceptor.ts";

/** One read from a client takes at most this many bytes; idle sessions hold this buffer, so it is small. */
const CLIENT_READ_BUFFER_BYTES = 4096;
/** Keepalive probes begin after this time where no period is set, in milliseconds: as VTGate, whose runtime does so. */
const KEEPALIVE_DEFAULT_MS = 15_000;
/** Connections that wait to be accepted. */
const BACKLOG = 4096;

/** What a listener needs. */
export interface ListenerOptions {
  readonly listen: ListenOptions;
  /** Networks whose connections must begin with a PROXY header. */
  readonly proxyTrusted: readonly IpNetwork[];
  /** null: TLS is not configured. */
  readonly tls: (() => TlsAcceptor) | null;
  readonly onClient: (transport: ClientTransport) => void;
  readonly logger: Logger;
  /** Whether other processes listen at the same places: the first process has made room there. */
  readonly isShared: boolean;
}

/** Where a listener listens; null: not there. */
export interface ListeningAt {
  readonly tcp: { readonly host: string; readonly port: number } | null;
  readonly unixSocketPath: string | null;
}

/** A running listener. */
export interface Listener {
  readonly at: ListeningAt;
  /** Stops accepting; live connections stay. */
  close(): Promise<void>;
}

/**
 * Starts to listen.
 * @throws Error with Node's `code` (EADDRINUSE, EACCES, ...) when an address cannot be had.
 */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const servers: net.Server[] = [];
  let tcp: ListeningAt["tcp"] = null;
  try {
    if (options.listen.tcp !== null) {
      const server = await listenOn(options, "tcp", {
        ...options.listen.tcp,
        backlog: BACKLOG,
        // The kernel then spreads connections over the workers, which accept them themselves. Elsewhere the first
        // process hands them out.
        ...(options.isShared && hasReusePort(process.versions.node) ? { reusePort: true } : {}),
      });
      servers.push(server);
      const address = server.address() as net.AddressInfo;
      tcp = { host: address.address, port: address.port };
    }
    const path = options.listen.unixSocketPath;
    if (path !== null) {
      if (!options.isShared) await removeStaleSocket(path);
      servers.push(await listenOn(options, "unix", { path, backlog: BACKLOG }));
      // As MySQL: whoever may reach the folder may try to log in.
      chmodSync(path, 0o777);
    }
  } catch (error) {
    await Promise.all(servers.map(closeServer));
    throw error;
  }
  return {
    at: { tcp, unixSocketPath: options.listen.unixSocketPath },
    close: async () => {
      await Promise.all(servers.map(closeServer));
    },
  };
}

/** Whether this Node can share a TCP port that way: from 22.12 and 23.1 on (https://nodejs.org/api/net.html). */
export function hasReusePort(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12);
}

function listenOn(
  options: ListenerOptions,
  transport: "tcp" | "unix",
  where: net.ListenOptions,
): Promise<net.Server> {
  const server = net.createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    if (transport === "tcp") socket.setKeepAlive(true, keepAliveMs(options));
    accept(
      options,
      transport,
      SocketChannel.accept(socket, CLIENT_READ_BUFFER_BYTES) ?? new DuplexChannel(socket),
    );
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      server.on("error", (error) => options.logger.error("The listener failed", { err: error }));
      const inherits = transport === "tcp" && setInheritedOptions(server, keepAliveMs(options));
      takeHandles(server, (handle) => {
        const channel = SocketChannel.overHandle(handle, CLIENT_READ_BUFFER_BYTES);
        if (transport === "tcp" && !inherits) {
          channel.socket.setNoDelay(true);
          channel.socket.setKeepAlive(true, keepAliveMs(options));
        }
        accept(options, transport, channel);
      });
      resolve(server);
    });
  });
}

function keepAliveMs(options: ListenerOptions): number {
  return options.listen.keepAlivePeriodMs || KEEPALIVE_DEFAULT_MS;
}

/**
 * Sets on the listening socket what its connections inherit on Linux (no delay, keepalive): five system calls less for
 * each of them. False: they have to be set one by one. The handle's methods are undocumented, as `onconnection` is.
 */
function setInheritedOptions(server: net.Server, keepAlivePeriodMs: number): boolean {
  if (process.platform !== "linux") return false;
  interface TcpHandle {
    setNoDelay?(on: boolean): number;
    setKeepAlive?(on: boolean, delaySeconds: number): number;
  }
  const handle = (server as net.Server & { _handle?: TcpHandle | null })._handle;
  const seconds = Math.max(1, Math.floor(keepAlivePeriodMs / 1000));
  return handle?.setNoDelay?.(true) === 0 && handle.setKeepAlive?.(true, seconds) === 0;
}

/** Stops accepting without waiting for live connections, which `net.Server.close` would. */
function closeServer(server: net.Server): Promise<void> {
  server.close();
  return Promise.resolve();
}

/**
 * Has the server hand over bare handles: a socket made by net.Server would only be thrown away for one with `onread`.
 * `_handle.onconnection` is undocumented: where a Node version has no such thing, connections come as sockets.
 */
function takeHandles(server: net.Server, onHandle: (handle: object) => void): void {
  type Listening = { onconnection?: (status: number, handle: object | undefined) => void };
  const listening = (server as net.Server & { _handle?: Listening | null })._handle;
  const original = listening?.onconnection;
  if (listening === null || listening === undefined || typeof original !== "function") return;
  listening.onconnection = function onConnection(status, handle) {
    if (status === 0 && typeof handle === "object") onHandle(handle);
    else original.call(this, status, handle);
  };
}

function accept(
  options: ListenerOptions,
  transport: "tcp" | "unix",
  channel: SocketChannel | DuplexChannel,
): void {
  const socket = channel instanceof SocketChannel ? channel.socket : (channel.stream as net.Socket);
  const remoteAddress = socket.remoteAddress;
  const remotePort = socket.remotePort ?? 0;
  if (transport === "tcp" && remoteAddress === undefined) {
    channel.destroy();
    return;
  }
  const own = transport === "tcp" ? tcpPeer(remoteAddress ?? "", remotePort) : unixPeer;
  if (transport === "unix" || !options.proxyTrusted.some((network) => network.contains(own.address))) {
    options.onClient(transportOf(channel, own, options));
    return;
  }
  readProxyHeader(channel).then(
    (source) =>
      options.onClient(
        transportOf(channel, source === null ? own : tcpPeer(source.address, source.port), options),
      ),
    (error: Error) => {
      options.logger.info("A connection without a valid PROXY header was closed", {
        address: own.address,
        reason: error.message,
      });
      channel.destroy();
    },
  );
}

const unixPeer: Peer = { transport: "unix", address: "", port: 0, host: "localhost", tls: null };

function tcpPeer(address: string, port: number): Peer {
  const canonical = canonicalAddress(address);
  return { transport: "tcp", address: canonical, port, host: canonical, tls: null };
}

function transportOf(channel: ByteChannel, peer: Peer, options: ListenerOptions): ClientTransport {
  const acceptor = peer.transport === "unix" ? null : options.tls;
  return { channel, peer, tls: acceptor === null ? null : upgraderOf(channel, acceptor) };
}

/** `acceptor` is asked when the handshake begins: a client that connected before a reload is judged by the new files. */
function upgraderOf(channel: ByteChannel, acceptor: () => TlsAcceptor): ClientTlsUpgrader {
  return {
    upgrade: (leftover) => {
      const stream =
        channel instanceof SocketChannel
          ? channel.socket
          : channel instanceof DuplexChannel
            ? channel.stream
            : null;
      if (stream === null) return Promise.reject(new Error("this channel cannot be upgraded to TLS"));
      if (leftover.length > 0) stream.unshift(leftover);
      return acceptor().accept(stream);
    },
  };
}

/** A socket file that nobody listens on is left over from a process that was killed. */
export async function removeStaleSocket(path: string): Promise<void> {
  if (isSocket(path) && !(await answers(path))) unlinkSync(path);
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}
