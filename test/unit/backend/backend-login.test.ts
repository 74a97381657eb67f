// Our own login against servers made of scripts: the ones that exist, and the ones that mean harm.
import { constants, generateKeyPairSync, privateDecrypt } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { type BackendLoginRequest, logIn } from "../../../src/backend/backend-login.ts";
import { BackendTlsContexts } from "../../../src/backend/backend-tls.ts";
import { BackendLoginError } from "../../../src/backend/login-error.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { BackendTlsMode } from "../../../src/routing/route.ts";
import { bytesChangingCapabilities } from "../../../src/wire/capabilities.ts";
import { decodeHandshakeResponse } from "../../../src/wire/packets/handshake-response.ts";
import type { HandshakeV10 } from "../../../src/wire/packets/handshake-v10.ts";
import { nativeResponse, sha2Response } from "../../support/raw/passwords.ts";
import { waitUntil, within } from "../../support/scratch.ts";
import {
  errPayload,
  greeting,
  okPayload,
  type ScriptedConnection,
  type ScriptedServer,
  scriptedScramble,
  startScriptedServer,
} from "../../support/scripted-server.ts";

const password = "s3cret-p4ss";
const tools = {
  tlsContexts: new BackendTlsContexts(systemClock),
  attributes: new Map([["program_name", "gatehouse"]]),
};
const servers: ScriptedServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

interface Options {
  readonly transport?: "tcp" | "unix";
  readonly mode?: BackendTlsMode;
  readonly request?: Partial<BackendLoginRequest>;
}

async function logInTo(
  script: (connection: ScriptedConnection) => Promise<void> | void,
  options: Options = {},
) {
  const server = await startScriptedServer(script, options.transport);
  servers.push(server);
  return logIn(
    {
      tablet: {
        alias: "backend",
        address: server.address,
        tls: { mode: options.mode ?? "DISABLED", ca: null, cert: null, key: null },
      },
      account: { name: "default", user: "service", password: () => password, generation: 1 },
      clientCapabilities: 0,
      collation: 45,
      timeoutMs: 5000,
      ...options.request,
    },
    tools,
  );
}

async function failureOf(
  script: (connection: ScriptedConnection) => Promise<void> | void,
  options: Options = {},
): Promise<BackendLoginError> {
  const outcome = await within(
    logInTo(script, options).catch((error: unknown) => error),
    "the login has failed",
  );
  expect(outcome).toBeInstanceOf(BackendLoginError);
  const error = outcome as BackendLoginError;
  expect(error.message + String(error.stack) + JSON.stringify(error)).not.toContain(password);
  const server = servers.at(-1);
  await waitUntil(
    () => server?.connections.every(({ socket }) => socket.destroyed || socket.readableEnded),
    "closed",
  );
  return error;
}

const greet = (connection: ScriptedConnection, changes: Partial<HandshakeV10> = {}): void =>
  connection.send(greeting(changes), 0);

const switchTo = (plugin: string, scramble: Uint8Array = scriptedScramble): Buffer =>
  Buffer.concat([Buffer.from([0xfe]), Buffer.from(`${plugin}\0`), scramble, Buffer.from([0])]);

describe("logIn()", () => {
  it("sends the client's byte-changing capabilities, its collation, who we are, and no schema", async () => {
    const seen: Buffer[] = [];
    const loggedIn = await logInTo(
      async (connection) => {
        greet(connection, { serverVersion: "5.5.5-10.11.19-MariaDB-1" });
        seen.push(await connection.read());
        connection.send(okPayload, 2);
      },
      { request: { clientCapabilities: (bytesChangingCapabilities | 0x8) >>> 0, collation: 8 } },
    );
    const response = decodeHandshakeResponse(seen[0] ?? Buffer.alloc(0));
    expect(response.capabilities & bytesChangingCapabilities).toBe(bytesChangingCapabilities | 0);
    expect(response.capabilities & 0x808).toBe(0);
    expect(response).toMatchObject({ user: "service", collation: 8, database: null });
    expect(response.attributes.get("program_name")).toBe("gatehouse");
    expect(loggedIn).toMatchObject({ id: 42, collation: 8 });
    expect(loggedIn.server).toMatchObject({ flavour: "mariadb", versionNumber: 101119 });
    expect(loggedIn.capabilities & bytesChangingCapabilities).toBe(bytesChangingCapabilities | 0);
    loggedIn.channel.destroy();
  });

  it("sends no byte-changing capability that the client did not ask for", async () => {
    const seen: Buffer[] = [];
    const loggedIn = await logInTo(async (connection) => {
      greet(connection);
      seen.push(await connection.read());
      connection.send(okPayload, 2);
    });
    expect(decodeHandshakeResponse(seen[0] ?? Buffer.alloc(0)).capabilities & bytesChangingCapabilities).toBe(
      0,
    );
    loggedIn.channel.destroy();
  });

  it("answers by the greeting's plugin and takes fast authentication", async () => {
    const responses: Uint8Array[] = [];
    for (const plugin of ["caching_sha2_password", "mysql_native_password"]) {
      const loggedIn = await logInTo(async (connection) => {
        greet(connection, { authPlugin: plugin });
        responses.push(decodeHandshakeResponse(await connection.read()).authResponse);
        if (plugin === "caching_sha2_password") connection.send(Buffer.from([1, 3]), 2);
        connection.send(okPayload, plugin === "caching_sha2_password" ? 3 : 2);
      });
      loggedIn.channel.destroy();
    }
    expect(responses[0]).toEqual(sha2Response(password, scriptedScramble));
    expect(responses[1]).toEqual(nativeResponse(password, scriptedScramble));
  });

  it("follows a switch in either direction with the new scramble", async () => {
    const scramble = Buffer.from("ABCDEFGHIJKLMNOPQRST");
    for (const [from, to, expected] of [
      ["caching_sha2_password", "mysql_native_password", nativeResponse(password, scramble)],
      ["mysql_native_password", "caching_sha2_password", sha2Response(password, scramble)],
      ["auth_gssapi_client", "mysql_native_password", nativeResponse(password, scramble)],
    ] as const) {
      const answers: Buffer[] = [];
      const loggedIn = await logInTo(async (connection) => {
        greet(connection, { authPlugin: from });
        await connection.read();
        connection.send(switchTo(to, scramble), 2);
        answers.push(await connection.read());
        connection.send(okPayload, 4);
      });
      expect(answers).toEqual([expected]);
      loggedIn.channel.destroy();
    }
  });

  it("gives the password in clear on a unix socket, and encrypted with the server's key on plain TCP", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const answers: Buffer[] = [];
    const unix = await logInTo(async (connection) => {
      greet(connection);
      await connection.read();
      connection.send(Buffer.from([1, 4]), 2);
      answers.push(await connection.read());
      connection.send(okPayload, 4);
    });
    unix.channel.destroy();
    expect(answers[0]?.toString()).toBe(`${password}\0`);
    const tcp = await logInTo(
      async (connection) => {
        greet(connection);
        await connection.read();
        connection.send(Buffer.from([1, 4]), 2);
        answers.push(await connection.read());
        connection.send(
          Buffer.concat([Buffer.from([1]), Buffer.from(publicKey.export({ type: "spki", format: "pem" }))]),
          4,
        );
        answers.push(await connection.read());
        connection.send(okPayload, 6);
      },
      { transport: "tcp" },
    );
    tcp.channel.destroy();
    expect(answers[1]).toEqual(Buffer.from([2]));
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const plain = privateDecrypt(
      { key: privateKey, padding, oaepHash: "sha1" },
      answers[2] ?? Buffer.alloc(0),
    );
    const xored = plain.map((byte, index) => byte ^ (scriptedScramble[index % 20] ?? 0));
    expect(Buffer.from(xored).toString()).toBe(`${password}\0`);
  });

  it.each([
    [1045, "access_denied"],
    [1044, "access_denied"],
    [1698, "access_denied"],
    [3955, "access_denied"],
    [1040, "too_many_connections"],
    [1129, "refused"],
  ])("tells a server's %i as %s", async (code, kind) => {
    const early = await failureOf((connection) => connection.send(errPayload(code, "No\nway"), 0));
    expect(early).toMatchObject({ kind, code, message: `The server answered ${code}: No?way` });
    const late = await failureOf(async (connection) => {
      greet(connection);
      await connection.read();
      connection.send(errPayload(code, "No"), 2);
    });
    expect(late).toMatchObject({ kind, code });
  });

  it("tells who cannot be reached and who hangs up", async () => {
    const nobody = await logIn(
      {
        tablet: {
          alias: "backend",
          address: { kind: "unix", path: "/nonexistent/s" },
          tls: { mode: "DISABLED", ca: null, cert: null, key: null },
        },
        account: { name: "default", user: "service", password: () => password, generation: 1 },
        clientCapabilities: 0,
        collation: 45,
        timeoutMs: 5000,
      },
      tools,
    ).catch((error: unknown) => error);
    expect(nobody).toMatchObject({ kind: "unreachable" });
    expect(await failureOf((connection) => void connection.socket.destroy())).toMatchObject({
      kind: "unreachable",
    });
    const half = await failureOf((connection) => {
      connection.socket.end(Buffer.from([80, 0, 0, 0, 10, 56]));
    });
    expect(half).toMatchObject({ kind: "unreachable" });
  });

  it("gives up on a server that accepts and never greets, or never ends the login", async () => {
    const quick = { request: { timeoutMs: 50 } };
    expect(await failureOf(() => {}, quick)).toMatchObject({ kind: "timeout" });
    expect(await failureOf((connection) => greet(connection), quick)).toMatchObject({ kind: "timeout" });
    const noTls = await failureOf((connection) => greet(connection), { ...quick, mode: "REQUIRED" });
    expect(noTls.kind).toBe("timeout");
  });

  it("ends when its pool closes", async () => {
    const closing = new AbortController();
    const script = (connection: ScriptedConnection): void => {
      greet(connection);
      closing.abort();
    };
    const outcome = await failureOf(script, { request: { signal: closing.signal } });
    expect(outcome.message).toBe("The pool was closed");
    expect(await failureOf(script, { request: { signal: closing.signal } })).toMatchObject({
      kind: "unreachable",
    });
  });
});

describe("a server that means harm", () => {
  const afterLogin =
    (reply: (connection: ScriptedConnection) => Promise<void> | void) =>
    async (connection: ScriptedConnection) => {
      greet(connection);
      await connection.read();
      await reply(connection);
    };

  it.each<[string, (connection: ScriptedConnection) => Promise<void> | void]>([
    [
      "announces a huge greeting",
      (connection) => void connection.socket.write(Buffer.from([0xff, 0xff, 0xff, 0, 10])),
    ],
    ["greets with a wrong sequence number", (connection) => connection.send(greeting(), 7)],
    ["greets in another protocol version", (connection) => connection.send(Buffer.from([9, 53, 0, 1, 2]), 0)],
    ["sends HTTP", (connection) => void connection.socket.write("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["sends an empty packet", (connection) => connection.send(Buffer.alloc(0), 0)],
    [
      "asks for a file",
      afterLogin((connection) => connection.send(Buffer.from("\xfb/etc/passwd", "latin1"), 2)),
    ],
    [
      "switches endlessly",
      afterLogin(async (connection) => {
        for (let sequence = 2; ; sequence += 2) {
          connection.send(switchTo("mysql_native_password"), sequence & 0xff);
          await connection.read();
        }
      }),
    ],
    [
      "says more and more",
      afterLogin((connection) => {
        for (let sequence = 2; sequence < 250; sequence += 1) connection.send(Buffer.from([1, 3]), sequence);
      }),
    ],
    [
      "sends a short scramble",
      afterLogin((connection) => connection.send(switchTo("mysql_native_password", Buffer.from("x")), 2)),
    ],
    [
      "sends a switch that is cut short",
      afterLogin((connection) => connection.send(Buffer.from([0xfe, 0x6d]), 2)),
    ],
    ["sends unknown data", afterLogin((connection) => connection.send(Buffer.from([1, 9]), 2))],
    [
      "speaks behind the end of the login",
      afterLogin(
        (connection) => void connection.socket.write(Buffer.from([7, 0, 0, 2, ...okPayload, 7, 0, 0, 3])),
      ),
    ],
  ])("%s: protocol error", async (_what, script) => {
    expect((await failureOf(script)).kind).toBe("protocol");
  });

  it("never gets the password in clear on plain TCP", async () => {
    const seen: Buffer[] = [];
    const wantClear = async (connection: ScriptedConnection): Promise<void> => {
      greet(connection, { authPlugin: "mysql_clear_password" });
      seen.push(await connection.read());
      connection.send(switchTo("mysql_clear_password"), 2);
      seen.push(await connection.read());
    };
    const error = await failureOf(wantClear, { transport: "tcp" });
    expect(error).toMatchObject({ kind: "tls" });
    const rubbishKey = await failureOf(
      async (connection) => {
        greet(connection);
        await connection.read();
        connection.send(Buffer.from([1, 4]), 2);
        await connection.read();
        connection.send(Buffer.from("\x01-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), 4);
      },
      { transport: "tcp" },
    );
    expect(rubbishKey.kind).toBe("protocol");
    expect(Buffer.concat(seen).includes(password)).toBe(false);
  });

  it("cannot strip TLS, nor smuggle bytes in before it", async () => {
    const stripped = await failureOf((connection) => greet(connection, { capabilities: 0xdfff_f7ff }), {
      mode: "REQUIRED",
    });
    expect(stripped).toMatchObject({ kind: "tls" });
    const smuggled = await failureOf(
      (connection) => {
        const packet = greeting();
        const header = Buffer.from([packet.length, 0, 0, 0]);
        connection.socket.write(Buffer.concat([header, packet, Buffer.from([7, 0, 0, 2, ...okPayload])]));
      },
      { mode: "REQUIRED" },
    );
    expect(smuggled).toMatchObject({ kind: "protocol" });
  });

  it("without capabilities that clients were promised is not used", async () => {
    const error = await failureOf((connection) => greet(connection, { capabilities: 0xdeff_ffff }), {
      request: { clientCapabilities: bytesChangingCapabilities },
    });
    expect(error).toMatchObject({ kind: "unsuitable" });
    expect(error.message).toContain("0x1000000");
    const old = await failureOf((connection) => greet(connection, { capabilities: 0x8000 }));
    expect(old).toMatchObject({ kind: "unsuitable" });
  });

  it("cannot make its version text harm a log or a greeting", async () => {
    const loggedIn = await logInTo(async (connection) => {
      greet(connection, { serverVersion: `8.0.1\n\u001b[31m${"x".repeat(5000)}` });
      await connection.read();
      connection.send(okPayload, 2);
    });
    expect(loggedIn.server.versionText).toMatch(/^8\.0\.1\?\?\[31mx+$/);
    expect(loggedIn.server.versionText.length).toBe(100);
    loggedIn.channel.destroy();
  });
});
