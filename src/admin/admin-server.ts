// The admin HTTP server: bounded in connections, time and bytes, safe against other web origins (Host is checked), and
// without anything to upload. Routes stand in admin-routes.

import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import type { Logger } from "../telemetry/logger.ts";
import { type AdminReply, adminRoutes, type RouteContext, refusalReply } from "./admin-routes.ts";

/** Connections beyond this number are closed at once. */
const connectionsMax = 128;
/** Request line and headers, in bytes; 431 beyond. */
const headerBytesMax = 8192;
/** For the headers, and for a whole request, in milliseconds; 408 beyond. */
const headersTimeoutMs = 5000;
const requestTimeoutMs = 10_000;
/** Idle keep-alive connections are closed after this time, in milliseconds. */
const keepAliveMs = 5000;
/** The server looks for connections over their time this often, in milliseconds. */
const checkIntervalMs = 1000;

/** Where the server listens, and who may ask. */
export interface AdminServerOptions {
  readonly host: string;
  /** 0: the system picks one. */
  readonly port: number;
  /** The token that routes with access `token` demand; read anew at each request. null: none is set. */
  readonly token: () => string | null;
}

/** A running server. */
export interface AdminServer {
  /** `127.0.0.1:9090` */
  readonly address: string;
  /** Ends at once; requests under way are cut. */
  close(): Promise<void>;
}

/**
 * Listens.
 * @throws the system's error (EADDRINUSE, EACCES, ...) when it cannot.
 */
export async function startAdminServer(
  options: AdminServerOptions,
  context: RouteContext,
  logger: Logger,
): Promise<AdminServer> {
  const server = createServer(
    {
      maxHeaderSize: headerBytesMax,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      connectionsCheckingInterval: checkIntervalMs,
      requireHostHeader: true,
    },
    (request, response) => {
      // An answer to a client that has gone away fails; nobody is left to tell.
      response.on("error", () => {});
      answer(request, options, context)
        .catch((error: unknown) => {
          logger.error("Admin request failed", { path: pathOf(request), error });
          return refusalReply(500, "The request failed: the log has the reason");
        })
        .then((reply) => send(request, response, reply));
    },
  );
  server.maxConnections = connectionsMax;
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const status = statusOfParseError[error.code ?? ""] ?? "400 Bad Request";
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    else socket.destroy();
  });
  await listen(server, options);
  server.on("error", (error) => logger.error("Admin server failed", { error }));
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const statusOfParseError: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

function listen(server: Server, options: AdminServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function answer(
  request: IncomingMessage,
  options: AdminServerOptions,
  context: RouteContext,
): Promise<AdminReply> {
  const loopback = isLoopback(request.socket.localAddress ?? "");
  if (loopback && !namesThisMachine(request.headers.host ?? "")) {
    return refusalReply(421, "The Host header must be localhost or an IP address");
  }
  const route = Object.hasOwn(adminRoutes, pathOf(request)) ? adminRoutes[pathOf(request)] : undefined;
  if (route === undefined) {
    return refusalReply(404, `No such page: there are ${Object.keys(adminRoutes).join(", ")}`);
  }
  if (request.method !== "GET" && request.method !== "HEAD")
    return refusalReply(405, "Only GET is answered here");
  if (route.access === "token") {
    const token = options.token();
    if (token === null && !loopback) {
      return refusalReply(403, "Set --admin_token_file to ask this from another machine");
    }
    if (token !== null && !carriesToken(request, token)) {
      return refusalReply(401, "Send the token of --admin_token_file as 'Authorization: Bearer TOKEN'");
    }
  }
  return route.answer(context);
}

function send(request: IncomingMessage, response: ServerResponse, reply: AdminReply): void {
  const body = Buffer.from(reply.body);
  const carriesBody =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"]) > 0;
  response.writeHead(reply.status, {
    "Content-Type": reply.contentType,
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    ...(reply.status === 401 ? { "WWW-Authenticate": "Bearer" } : {}),
    ...(reply.status === 405 ? { Allow: "GET, HEAD" } : {}),
    // A body is never read: the connection ends instead.
    ...(carriesBody ? { Connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
  if (carriesBody) response.once("finish", () => request.destroy());
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}

/** Whether a Host header names no foreign site: a page of another origin that points its name here (DNS rebinding) does. */
function namesThisMachine(host: string): boolean {
  const name = host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  return name.toLowerCase() === "localhost" || isIP(name) !== 0;
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\./.test(address);
}

function carriesToken(request: IncomingMessage, token: string): boolean {
  const sent = Buffer.from(/^Bearer (\S+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "");
  const wanted = Buffer.from(token);
  return sent.length === wanted.length && timingSafeEqual(sent, wanted);
}
