// Where a gateway is to listen, and what a person is told when it cannot. Asked before anything slow is started: nobody
// should wait for a database only to learn that a port is taken.

import { lstatSync, type Stats, statSync } from "node:fs";
import net from "node:net";
import { dirname } from "node:path";
import type { GatewayOptions } from "./gateway-options.ts";
import { StartError } from "./gateway-seam.ts";

/** One place, and the flags that name it. */
export type ListenPlace =
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly hostFlag: string;
      readonly portFlag: string;
    }
  | { readonly kind: "unix"; readonly path: string };

/** Where clients connect; then, if there is any, the place of admin HTTP. */
export function listenPlaces(options: GatewayOptions): readonly ListenPlace[] {
  const places: ListenPlace[] = [];
  const { tcp, unixSocketPath } = options.listen;
  if (tcp !== null)
    places.push({
      kind: "tcp",
      ...tcp,
      hostFlag: "mysql_server_bind_address",
      portFlag: "mysql_server_port",
    });
  if (unixSocketPath !== null) places.push({ kind: "unix", path: unixSocketPath });
  if (options.admin !== null) {
    const { host, port } = options.admin;
    places.push({ kind: "tcp", host, port, hostFlag: "bind_address", portFlag: "port" });
  }
  return places;
}

/**
 * Tries every place and leaves it at once. What it says may be outdated a moment later: listening itself is the judge.
 * Returns the TCP port for clients, where the system has chosen one (`--mysql_server_port=0`): processes that share it
 * have to ask for the same. null: there is no TCP.
 * @throws StartError for the first place that cannot be had.
 */
export async function tryListenPlaces(options: GatewayOptions): Promise<number | null> {
  let clientPort: number | null = null;
  for (const place of listenPlaces(options)) {
    if (place.kind === "unix") await trySocketPath(place.path);
    else {
      const port = await tryAddress(place);
      if (place.portFlag === "mysql_server_port") clientPort = port;
    }
  }
  return clientPort;
}

/** The sentence for an error of listening at one of `places`; the error itself where it tells of something else. */
export function listenFailure(error: unknown, places: readonly ListenPlace[]): unknown {
  const { code, address, port, syscall } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
  };
  if (syscall !== "listen" && syscall !== "bind" && syscall !== "getaddrinfo") return error;
  const isUnix = address?.includes("/") === true;
  const place =
    places.find((one) => (one.kind === "tcp" ? !isUnix && one.port === (port ?? 0) : one.path === address)) ??
    places.find((one) => one.kind === "tcp" && syscall === "getaddrinfo");
  if (place === undefined) return error;
  return new StartError(sentence(place, code ?? "unknown error"), { cause: error });
}

function sentence(place: ListenPlace, code: string): string {
  if (place.kind === "unix") {
    const where = `Cannot listen on ${place.path}`;
    if (code === "EADDRINUSE")
      return `${where}: it is in use; choose another with --mysql_server_socket_path, or stop what uses it`;
    if (code === "EACCES") return `${where}: permission denied in ${dirname(place.path)}`;
    return `${where}: ${code}`;
  }
  const { host, hostFlag, portFlag } = place;
  const where = `Cannot listen on ${host.includes(":") ? `[${host}]` : host}:${place.port}`;
  switch (code) {
    case "EADDRINUSE":
      return `${where}: it is in use; choose another with --${portFlag}, or stop what uses it`;
    case "EACCES":
      return `${where}: permission denied; choose another with --${portFlag}`;
    case "EADDRNOTAVAIL":
      return `${where}: this machine has no such address; choose another with --${hostFlag}`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${where}: the name cannot be resolved; give an address with --${hostFlag}`;
    default:
      return `${where}: ${code}`;
  }
}

/** The port: the system's choice where `place` has 0. */
function tryAddress(place: ListenPlace & { readonly kind: "tcp" }): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new StartError(sentence(place, error.code ?? error.message), { cause: error })),
    );
    server.listen({ host: place.host, port: place.port, exclusive: true }, () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function trySocketPath(path: string): Promise<void> {
  const folder = statSync(dirname(path), { throwIfNoEntry: false });
  if (folder?.isDirectory() !== true) {
    throw new StartError(`Cannot listen on ${path}: there is no folder ${dirname(path)}; make it first`);
  }
  let present: Stats | undefined;
  try {
    present = lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw new StartError(sentence({ kind: "unix", path }, (error as NodeJS.ErrnoException).code ?? ""));
  }
  if (present === undefined) return;
  if (!present.isSocket()) {
    throw new StartError(
      `Cannot listen on ${path}: it exists and is no socket; remove it, or choose another with --mysql_server_socket_path`,
    );
  }
  if (await answers(path)) throw new StartError(sentence({ kind: "unix", path }, "EADDRINUSE"));
}

/** Whether somebody listens on a unix socket; a file that nobody listens on was left by a process that was killed. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Permission denied is an answer of the file, not of nobody.
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EACCES"));
  });
}
