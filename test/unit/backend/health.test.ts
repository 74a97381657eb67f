// Health of a server in memory: what it learns, what it says of failures, how often it asks.
import { afterEach, describe, expect, it } from "vitest";
import { type HealthStatus, HealthWatch } from "../../../src/backend/health.ts";
import { BackendLoginError, type BackendLoginErrorKind } from "../../../src/backend/login-error.ts";
import { toFrames } from "../../support/raw/frame-reader.ts";
import { waitUntil } from "../../support/scratch.ts";
import { type BackendBehaviour, errPayload, MemoryBackend } from "../../support/scripted-backend.ts";

const watches: HealthWatch[] = [];

afterEach(() => {
  for (const watch of watches.splice(0)) watch.stop();
});

function watch(behaviour: BackendBehaviour, options: { intervalMs?: number; timeoutMs?: number } = {}) {
  const backend = new MemoryBackend(behaviour);
  const account = { name: "default", user: "svc", password: () => "pw", generation: 1 };
  const changes: { status: HealthStatus; detail: string | null }[] = [];
  const seen = { logins: 0 };
  const health = new HealthWatch(
    {
      tablet: {
        alias: "db1",
        address: { kind: "unix", path: "/none" },
        tls: { mode: "DISABLED", ca: null, cert: null, key: null },
      },
      account: () => account,
      intervalMs: () => options.intervalMs ?? 1,
      loginTimeoutMs: 1000,
      timeoutMs: options.timeoutMs ?? 1000,
    },
    {
      logIn: backend.logIn,
      onLogin: () => {
        seen.logins += 1;
      },
      onChange: (status, detail) => changes.push({ status, detail }),
    },
  );
  watches.push(health);
  return { backend, health, changes, seen, account };
}

describe("HealthWatch", () => {
  it("learns what the server is, over one connection that it keeps", async () => {
    const { backend, health, changes, seen } = watch({});
    expect(health.status).toMatchObject({ ready: false, server: null });
    await health.start();
    expect(health.status).toMatchObject({
      ready: true,
      reason: null,
      server: { versionText: "8.4.3", lowerCaseTableNames: 0, readOnly: false },
    });
    await waitUntil(() => (backend.connections[0]?.commands.length ?? 0) > 5, "it asks again");
    expect([backend.connections.length, seen.logins, changes.length]).toEqual([1, 1, 1]);
  });

  it.each<[BackendLoginErrorKind, string]>([
    ["unreachable", "cannot be reached"],
    ["timeout", "does not answer in time"],
    ["access_denied", "refuses the service account"],
  ])("says of %s that it %s, once, without details", async (kind, reason) => {
    const { health, changes } = watch({
      onLogin: () => {
        throw new BackendLoginError(kind, "Access denied for user 'svc'@'10.0.0.1'");
      },
    });
    await health.start();
    expect(health.status).toEqual({ ready: false, reason: `Database server 'db1' ${reason}`, server: null });
    health.askNow();
    expect(changes.length).toBe(1);
    expect(changes[0]?.detail).toContain("Access denied");
  });

  it("says what is wrong with a server's certificate", async () => {
    const { health } = watch({
      onLogin: () => {
        throw new BackendLoginError("tls", "TLS handshake failed: certificate has expired");
      },
    });
    await health.start();
    expect(health.status.reason).toBe(
      "Database server 'db1' cannot be talked to over TLS as configured (TLS handshake failed: certificate has expired)",
    );
  });

  it("keeps the last known facts, and comes back by itself", async () => {
    const state = { down: false };
    const { backend, health, changes, seen } = watch(
      {
        onLogin: () => {
          if (state.down) throw new BackendLoginError("unreachable", "down");
        },
      },
      { intervalMs: 3_600_000 },
    );
    await health.start();
    state.down = true;
    // Noticed at once, not an hour later.
    backend.connections[0]?.stream.destroy();
    await waitUntil(() => !health.status.ready, "not ready");
    expect(health.status.server?.versionText).toBe("8.4.3");
    state.down = false;
    await waitUntil(() => health.status.ready, "ready again");
    expect(changes.map(({ status }) => status.ready)).toEqual([true, false, true]);
    expect(seen.logins).toBe(2);
  });

  it("takes a stalled answer, an error and rubbish for failures", async () => {
    for (const reply of [
      () => null,
      () => toFrames(errPayload(1193, "Unknown system variable"), 1),
      () => toFrames(Buffer.from([0, 0, 0, 2, 0, 0, 0]), 1),
      () => Buffer.from("HTTP/1.1 200 OK"),
    ]) {
      const { health } = watch(
        { onCommand: (command) => (command.includes("lower_case") ? reply() : undefined) },
        { timeoutMs: 20 },
      );
      await health.start();
      expect(health.status.ready).toBe(false);
    }
  });

  it("logs in anew with a new credential", async () => {
    const { backend, health, account } = watch({});
    await health.start();
    account.generation = 2;
    await waitUntil(() => backend.connections.length === 2, "a new login");
    await waitUntil(() => backend.connections[0]?.closed, "the old one is gone");
  });

  it("stops for good", async () => {
    const { backend, health } = watch({});
    await health.start();
    health.stop();
    await waitUntil(() => backend.connections[0]?.closed, "closed");
    health.askNow();
    expect(backend.connections.length).toBe(1);
  });
});
