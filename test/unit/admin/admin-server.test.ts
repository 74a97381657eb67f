import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type AdminServer, startAdminServer } from "../../../src/admin/admin-server.ts";
import type { AdminSources, Readiness } from "../../../src/admin/admin-sources.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";

let server: AdminServer | null = null;
let readiness: Readiness = { ready: true, reasons: [], notes: [] };
let token: string | null = null;

const sources: AdminSources = {
  readiness: () => readiness,
  userActivity: () => ({
    countingSinceMs: 0,
    generation: 3,
    stale: false,
    entries: [
      {
        user: "u",
        index: 0,
        fingerprint: "f",
        userData: "d",
        credentialKinds: ["sha2"],
        countingSinceMs: 0,
        lastLoginMs: 1000,
        liveSessions: 2,
        logins: 5,
      },
    ],
  }),
};

async function start(host = "127.0.0.1"): Promise<AdminServer> {
  const context = { sources, metrics: createMetrics({ processMetrics: false }), version: "1.2.3" };
  server = await startAdminServer({ host, port: 0, token: () => token }, context, silentLogger);
  return server;
}

afterEach(async () => {
  await server?.close();
  server = null;
  token = null;
  readiness = { ready: true, reasons: [], notes: [] };
});

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, unknown>;
}

function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  const [host, port] = (server?.address ?? "").split(":");
  return new Promise<Answer>((resolve, reject) => {
    const request = httpRequest(
      { host, port, path, method: options.method ?? "GET", headers: options.headers ?? {}, agent: false },
      (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += String(chunk);
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
        );
      },
    );
    request.on("error", reject);
    request.end(options.body);
  });
}

describe("the admin server", () => {
  it("answers health, readiness and metrics", async () => {
    await start();
    expect(await ask("/healthz")).toMatchObject({ status: 200, body: "ok\n" });
    expect(await ask("/readyz")).toMatchObject({ status: 200, body: "ready\n" });
    readiness = { ready: false, reasons: ["Draining"], notes: ["The embedded database serves"] };
    expect(await ask("/readyz?verbose")).toMatchObject({
      status: 503,
      body: "not ready\nDraining\nnote: The embedded database serves\n",
    });
    const metrics = await ask("/metrics");
    expect(metrics.status).toBe(200);
    expect(metrics.body).toContain("gatehouse_sessions 0");
    expect(metrics.headers["content-type"]).toContain("text/plain; version=0.0.4");
  });

  it("answers what is known of users, without secrets", async () => {
    await start();
    const answer = await ask("/api/users");
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      version: "1.2.3",
      counting_since: "1970-01-01T00:00:00.000Z",
      users_generation: 3,
      users_file_stale: false,
      entries: [
        {
          user: "u",
          index: 0,
          fingerprint: "f",
          user_data: "d",
          credential_kinds: ["sha2"],
          counting_since: "1970-01-01T00:00:00.000Z",
          last_login: "1970-01-01T00:00:01.000Z",
          live_sessions: 2,
          logins: 5,
        },
      ],
    });
  });

  it("demands the token when there is one", async () => {
    await start();
    token = "correct";
    const headers = (value: string) => ({ headers: { Authorization: value } });
    expect((await ask("/api/users")).status).toBe(401);
    expect((await ask("/api/users", headers("Bearer correcT"))).status).toBe(401);
    expect((await ask("/api/users", headers("Bearer correct1"))).status).toBe(401);
    expect((await ask("/api/users", headers("Basic correct"))).status).toBe(401);
    expect((await ask("/api/users", headers("Bearer correct"))).status).toBe(200);
    expect((await ask("/healthz")).status).toBe(200);
  });

  it("refuses foreign Host names on loopback", async () => {
    await start();
    for (const host of ["evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example"]) {
      expect((await ask("/metrics", { headers: { Host: host } })).status).toBe(421);
    }
    for (const host of ["localhost", "LOCALHOST:99", "127.0.0.1:99", "[::1]:99"]) {
      expect((await ask("/metrics", { headers: { Host: host } })).status).toBe(200);
    }
  });

  it.each([
    ["/", "GET", 404],
    ["/constructor", "GET", 404],
    ["/__proto__", "GET", 404],
    ["/healthz/../api/users", "GET", 404],
    ["/healthz", "POST", 405],
    ["/healthz", "DELETE", 405],
    ["/healthz", "HEAD", 200],
  ])("answers %s by %s with %d", async (path, method, status) => {
    await start();
    const answer = await ask(path, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  it("reads no body and no endless header", async () => {
    await start();
    const answer = await ask("/healthz", {
      method: "POST",
      body: "x".repeat(100),
      headers: { "Content-Length": "100" },
    });
    expect(answer.status).toBe(405);
    expect(answer.headers.connection).toBe("close");
    expect((await ask("/healthz", { headers: { "X-Long": "x".repeat(20_000) } })).status).toBe(431);
  });

  it("survives random bytes and goes on", async () => {
    await start();
    const [host, port] = (server?.address ?? "").split(":");
    await new Promise<void>((resolve) => {
      const socket = connect({ host: host ?? "", port: Number(port) }, () =>
        socket.write("\u0000\u0001\u0002 garbage\r\n\r\n"),
      );
      socket.on("error", () => {});
      socket.on("close", () => resolve());
      socket.resume();
    });
    expect((await ask("/healthz")).status).toBe(200);
  });

  it("says what failed in the log only", async () => {
    await start();
    const broken = sources.readiness;
    sources.readiness = () => {
      throw new Error("secret");
    };
    const answer = await ask("/readyz");
    sources.readiness = broken;
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain("secret");
  });
});
