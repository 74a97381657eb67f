// The admin HTTP server: bounded in connections, time and bytes, and without anything to upload. Routes stand in
// admin-routes, who may ask for them in admin-access.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "../telemetry/logger.ts";
import { isLoopback, refuseAccess } from "./admin-access.ts";
import { type AdminReply, adminRoutes, findRoute, type RouteContext, refusalReply } from "./admin-routes.ts";

/** Connections beyond this number are closed at once. */
const connectionsMax = 128;
/** Of one address beyond loopback: nobody alone can shut out the probes. */
const connectionsPerAddressMax = 32;
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
  /** The token that admin-access demands; read anew at each request. null: none is set. */
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
        .then((reply) => {
          context.metrics.counter("admin_requests_total", { status: String(reply.status) }).add();
          send(request, response, reply);
        });
    },
  );
  server.maxConnections = connectionsMax;
  limitPerAddress(server);
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

/** Closes what one address opens beyond its share. On loopback everybody has the same one. */
export function limitPerAddress(server: Pick<Server, "on">): void {
  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    if (isLoopback(address)) return;
    const count = open.get(address) ?? 0;
    if (count >= connectionsPerAddressMax) {
      socket.destroy();
      return;
    }
    open.set(address, count + 1);
    socket.once("close", () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left > 0) open.set(address, left);
      else open.delete(address);
    });
  });
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
  const found = findRoute(pathOf(request));
  const { headers, socket } = request;
  const refusal = refuseAccess({
    access: found?.route.access ?? "open",
    localAddress: socket.localAddress ?? "",
    host: headers.host ?? "",
    origin: headers.origin,
    fetchSite: headers["sec-fetch-site"] as string | undefined,
    authorization: headers.authorization ?? "",
    token: options.token(),
  });
  if (refusal !== null) return refusalReply(refusal.status, refusal.sentence);
  if (found === null) {
    return refusalReply(404, `No such page: there are ${Object.keys(adminRoutes).join(", ")}`);
  }
  const { route, id } = found;
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (method !== route.method) return refusalReply(405, `This answers ${route.method} only`);
  if (route.access !== "page") await context.sources.refresh();
  const query = new URLSearchParams((request.url ?? "").split("?").slice(1).join("?"));
  return route.answer(context, { id, query, from: socket.remoteAddress ?? "" });
}

function send(request: IncomingMessage, response: ServerResponse, reply: AdminReply): void {
  const body = Buffer.from(reply.body);
  const carriesBody =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"]) > 0;
  response.writeHead(reply.status, {
    "Content-Type": reply.contentType,
    "Content-Length": body.length,
    "Cache-Control": "no-store",
    "Content-Security-Policy":
      reply.contentSecurityPolicy ?? "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    ...(reply.status === 401 ? { "WWW-Authenticate": "Bearer" } : {}),
    ...(reply.status === 405 ? { Allow: allowedMethods(request) } : {}),
    // A body is never read: the connection ends instead.
    ...(carriesBody ? { Connection: "close" } : {}),
  });
  response.end(request.method === "HEAD" ? undefined : body);
  if (carriesBody) response.once("finish", () => request.destroy());
}

function allowedMethods(request: IncomingMessage): string {
  return findRoute(pathOf(request))?.route.method === "POST" ? "POST" : "GET, HEAD";
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0] ?? "/";
}
