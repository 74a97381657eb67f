import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { adminRoutes } from "../../../src/admin/admin-routes.ts";
import { type AdminServer, startAdminServer } from "../../../src/admin/admin-server.ts";
import type { Readiness } from "../../../src/admin/admin-sources.ts";
import { silentLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { noAssets, quietSources } from "../../support/admin-sources.ts";

let server: AdminServer | null = null;
let readiness: Readiness = { ready: true, reasons: [], notes: [] };
let token: string | null = null;

const ended: { id: number; from: string }[] = [];
const sources = quietSources({
  readiness: () => readiness,
  endSession: (id, from) => {
    ended.push({ id, from });
    return id === 7;
  },
});

async function start(host = "127.0.0.1"): Promise<AdminServer> {
  const context = {
    sources,
    metrics: createMetrics({ processMetrics: false }),
    version: "1.2.3",
    assets: noAssets,
  };
  server = await startAdminServer({ host, port: 0, token: () => token }, context, silentLogger);
  return server;
}

afterEach(async () => {
  await server?.close();
  server = null;
  token = null;
  ended.length = 0;
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

/** `sessions[].id` for every leaf; empty lists have none. */
function fieldsOf(value: unknown, path = ""): string[] {
  const dot = path === "" ? "" : `${path}.`;
  if (Array.isArray(value)) {
    return value.length === 0 || typeof value[0] !== "object"
      ? [path]
      : [...new Set(value.flatMap((item) => fieldsOf(item, `${path}[]`)))];
  }
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, inner]) => fieldsOf(inner, dot + name));
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

  it.each(["/api/status", "/api/history", "/api/sessions", "/api/users"])(
    "answers %s with the documented fields and no others",
    async (path) => {
      await start();
      const answer = await ask(path);
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toContain("application/json");
      expect(fieldsOf(JSON.parse(answer.body)).sort()).toEqual(
        Object.keys(adminRoutes[path]?.fields ?? {}).sort(),
      );
    },
  );

  it("filters, sorts and cuts sessions", async () => {
    await start();
    const sessions = async (query: string) => JSON.parse((await ask(`/api/sessions${query}`)).body);
    expect((await sessions("")).sessions.map((one: { id: number }) => one.id)).toEqual([2, 1, 3]);
    expect(await sessions("?user=other&limit=5")).toMatchObject({
      total: 3,
      matching: 1,
      sessions: [{ id: 3 }],
    });
    expect((await sessions("?limit=1")).sessions).toHaveLength(1);
    expect((await sessions("?limit=nonsense")).sessions).toHaveLength(3);
    expect((await sessions("?limit=-5")).sessions).toHaveLength(1);
  });

  it("ends a session for who has the token and comes from no other origin", async () => {
    await start();
    const end = (headers: Record<string, string>, id = "7") =>
      ask(`/api/sessions/${id}/end`, { method: "POST", headers });
    expect((await end({})).status).toBe(403);
    token = "correct";
    const authorization = { Authorization: "Bearer correct" };
    const own = `http://${server?.address}`;
    const refused: [Record<string, string>, number][] = [
      [{}, 401],
      [{ Authorization: "Bearer wrong" }, 401],
      [{ ...authorization, Origin: "http://evil.example" }, 403],
      [{ ...authorization, Origin: "null" }, 403],
      [{ ...authorization, Origin: own, "Sec-Fetch-Site": "cross-site" }, 403],
      [{ ...authorization, "Sec-Fetch-Site": "same-site" }, 403],
      [{ ...authorization, Host: "evil.example" }, 421],
      [{ ...authorization, Host: "evil.example", Origin: "http://evil.example" }, 421],
    ];
    for (const [headers, status] of refused)
      expect((await end(headers)).status, JSON.stringify(headers)).toBe(status);
    expect(ended).toEqual([]);
    expect(await end({ ...authorization, Origin: own, "Sec-Fetch-Site": "same-origin" })).toMatchObject({
      status: 200,
      body: '{"ended":7}\n',
    });
    expect((await end(authorization, "8")).status).toBe(404);
    expect(ended).toEqual([
      { id: 7, from: "127.0.0.1" },
      { id: 8, from: "127.0.0.1" },
    ]);
    for (const id of ["-1", "1x", "12345678901", "%37", "7/7"])
      expect((await end(authorization, id)).status).toBe(404);
    expect((await ask("/api/sessions/7/end", { headers: authorization })).status).toBe(405);
    expect(ended).toHaveLength(2);
  });

  it("gives the page a policy of its own and nothing to run but its script", async () => {
    await start();
    const policies = new Set<unknown>();
    for (let round = 0; round < 2; round++) {
      const { headers, body } = await ask("/");
      const policy = String(headers["content-security-policy"]);
      policies.add(policy);
      const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? "none";
      expect(body.split(`nonce="${nonce}"`)).toHaveLength(3);
      expect(body).not.toMatch(/\son\w+=|javascript:|https?:\/\/(?!www\.w3\.org)/);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/unsafe|\*/);
    }
    expect(policies.size).toBe(2);
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
    ["/", "GET", 200],
    ["/nothing", "GET", 404],
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

  /** Sends bytes as they are; resolves with all that comes back. */
  function sendRaw(bytes: string): Promise<string> {
    const [host, port] = (server?.address ?? "").split(":");
    return new Promise((resolve) => {
      let received = "";
      const socket = connect({ host: host ?? "", port: Number(port) }, () => socket.write(bytes));
      socket.on("error", () => {});
      socket.on("data", (data) => {
        received += String(data);
      });
      socket.on("close", () => resolve(received));
    });
  }

  it("survives random bytes and goes on", async () => {
    await start();
    await sendRaw("\u0000\u0001\u0002 garbage\r\n\r\n");
    expect((await ask("/healthz")).status).toBe(200);
  });

  it("answers the probes of balancers, which send no Host header, and lets nobody change something without one", async () => {
    await start();
    for (const path of ["/readyz", "/healthz", "/metrics"])
      expect(await sendRaw(`GET ${path} HTTP/1.0\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /);
    expect(await sendRaw("OPTIONS / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 405 /);
    const change = `POST /api/sessions/1/end HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    expect(await sendRaw(change)).toMatch(/^HTTP\/1.1 421 /);
    expect(await sendRaw("GET /readyz HTTP/1.0\r\nHost: evil.example\r\n\r\n")).toMatch(/^HTTP\/1.1 421 /);
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
