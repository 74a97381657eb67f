// Passwords change while clients log in all the time: no login with a password that is valid before and after a change
// may fail, new ones work within a second, old ones stop, and a bad file changes nothing.
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import { fileWriters } from "../support/file-writers.ts";
import type { GatewayProcess, LogRecord } from "../support/gateway-process.ts";
import { isComplaint, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { login } from "../support/raw/login.ts";
import { nativeHash, sha2Hash } from "../support/raw/passwords.ts";
import { removeFolder, scratchFolder, waitUntil } from "../support/scratch.ts";

let server: DatabaseServer;
beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
});
afterAll(() => server?.stop());

async function accepted(gateway: GatewayProcess, user: string, password: string, plugin?: string) {
  const options = { user, password, ...(plugin === undefined ? {} : { plugin }) };
  const { client, result } = await login({ port: gateway.port }, options);
  client.destroy();
  return result.ok;
}

/** Logs in as `stable` without a break until stopped; every failure is kept. */
function loginLoop(gateway: GatewayProcess, user: string, password: string, plugin: string) {
  const state = { logins: 0, durationsMs: [] as number[], failures: [] as string[], stop: false };
  const run = async (): Promise<typeof state> => {
    while (!state.stop) {
      const started = performance.now();
      try {
        if (await accepted(gateway, user, password, plugin)) state.logins++;
        else state.failures.push("refused");
      } catch (error) {
        state.failures.push(String(error));
      }
      state.durationsMs.push(performance.now() - started);
    }
    return state;
  };
  const done = run();
  return {
    logins: () => state.logins,
    stop: () => {
      state.stop = true;
      return done;
    },
  };
}

const complains = (line: string): boolean =>
  line.startsWith("{") && isComplaint(JSON.parse(line) as LogRecord);

/** Generation n: `stable` keeps its password in changing company; `rotating` has the passwords of n and n - 1. */
function usersAt(generation: number): string {
  const spelled = (password: string): Record<string, unknown> =>
    [
      { Password: password },
      { MysqlNativePassword: nativeHash(password) },
      { CachingSha2Password: sha2Hash(password) },
    ][generation % 3] ?? {};
  return JSON.stringify(
    {
      stable: [{ Password: `noise${generation}` }, { Password: "always", Comment: `${generation}` }],
      stable_hash: [{ CachingSha2Password: sha2Hash("always") }],
      rotating: [spelled(`secret${generation - 1}`), spelled(`secret${generation}`)],
      // Padding makes writing in place take more than one system call: half-written states become likely.
      ...Object.fromEntries(
        Array.from({ length: 2000 }, (_, index) => [`filler${index}_${generation}`, [{ Password: "f" }]]),
      ),
    },
    null,
    1,
  );
}

describe.each(fileWriters)("rotation under load by $name", (writer) => {
  it("never refuses a valid password, takes up new ones within a second and drops old ones", async () => {
    const folder = scratchFolder("rotate");
    const path = writer.prepare(folder, usersAt(1));
    const gateway = await startGateway({
      backend: server,
      flags: { mysql_auth_server_static_file: path, log_level: "info" },
    });
    const loops = [
      loginLoop(gateway, "stable", "always", "caching_sha2_password"),
      loginLoop(gateway, "stable", "always", "mysql_native_password"),
      loginLoop(gateway, "stable_hash", "always", "caching_sha2_password"),
    ];
    const generations = 6;
    let slowestMs = 0;
    for (let generation = 2; generation <= generations; generation++) {
      const before = loops.map((loop) => loop.logins());
      writer.write(path, usersAt(generation));
      const started = performance.now();
      await waitUntil(
        () => accepted(gateway, "rotating", `secret${generation}`),
        `the password of generation ${generation}`,
        5000,
      );
      slowestMs = Math.max(slowestMs, performance.now() - started);
      expect(await accepted(gateway, "rotating", `secret${generation - 1}`)).toBe(true);
      expect(await accepted(gateway, "rotating", `secret${generation - 2}`)).toBe(false);
      await waitUntil(
        () => loops.every((loop, index) => loop.logins() > (before[index] ?? 0) + 3),
        "logins between two changes",
      );
    }
    const results = await Promise.all(loops.map((loop) => loop.stop()));
    for (const result of results) {
      expect(result.failures).toEqual([]);
      expect(result.logins).toBeGreaterThan(3 * (generations - 1));
    }
    // One second, and what the machine at hand needs for some logins at its worst: it may have other work.
    const slowestLoginMs = Math.max(...results.flatMap((result) => result.durationsMs));
    expect(slowestMs).toBeLessThan(1000 + 5 * slowestLoginMs);
    await gateway.stop();
    removeFolder(folder);
  });
});

describe("a bad file", () => {
  const good = JSON.stringify({ a: [{ Password: "x" }] });
  const badFiles: Record<string, string | Buffer> = {
    "a syntax error": '{"a": [{"Password": "x"}',
    "a duplicate key": '{"a":[{"Password":"y"}],"a":[{"Password":"z"}]}',
    "an unknown key": '{"a":[{"Pasword":"y"}]}',
    "a bad hash": '{"a":[{"MysqlNativePassword":"*12"}]}',
    "no users": "{}",
    "an empty file": "",
    "an empty password": '{"a":[{"Password":""}]}',
    "null for an entry": '{"a":[null]}',
    "something else": "user,password\na,y\n",
    "NUL bytes": '{"a":[{"Password":"y\0"}]}',
    "text of another encoding": Buffer.from('\ufeff{"a":[{"Password":"y"}]}', "utf16le"),
    "nesting beyond all measure": `{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`,
  };

  it("changes nothing, is told once with its reason, and the next good one is taken up", async () => {
    const gateway = await startGateway({
      backend: server,
      users: good,
      flags: { mysql_auth_static_reload_interval: "100ms" },
    });
    let generation = 0;
    for (const [name, text] of Object.entries(badFiles)) {
      const before = gateway.lines.length;
      writeFileSync(gateway.usersFile, text);
      const wanted = name === "an unknown key" ? /Pasword.*Password/ : /users/i;
      await waitUntil(
        () =>
          gateway.lines
            .slice(before)
            .some((line) => complains(line) && wanted.test(line) && line.includes("users.json")),
        `a log line about ${name}`,
      );
      gateway.signal("SIGHUP"); // looks again: still bad, and said once
      expect(await accepted(gateway, "a", generation === 0 ? "x" : `x${generation}`), name).toBe(true);
      expect(await accepted(gateway, "a", "y")).toBe(false);
      generation++;
      writeFileSync(gateway.usersFile, JSON.stringify({ a: [{ Password: `x${generation}` }] }));
      await waitUntil(() => accepted(gateway, "a", `x${generation}`), `the good file after ${name}`);
      const told = gateway.lines.slice(before).filter((line) => complains(line) && wanted.test(line));
      expect(told.length, `${name}:\n${told.join("\n")}`).toBe(1);
    }
    expect(generation).toBe(Object.keys(badFiles).length);
    await gateway.stop();
  });

  it("or a directory, a huge file, a link to nowhere or to itself in its place changes nothing", async () => {
    const gateway = await startGateway({ backend: server, users: good });
    const { usersFile } = gateway;
    const puts: Record<string, () => void> = {
      "it is not a regular file": () => mkdirSync(usersFile),
      "at most 67108864 are read": () => {
        writeFileSync(`${usersFile}.huge`, "");
        truncateSync(`${usersFile}.huge`, 64 * 1024 * 1024 + 1);
        renameSync(`${usersFile}.huge`, usersFile);
      },
      "it does not exist": () => symlinkSync("nowhere", usersFile),
      "its symbolic links go in a circle": () => symlinkSync("users.json", usersFile),
    };
    let generation = 0;
    for (const [reason, put] of Object.entries(puts)) {
      rmSync(usersFile);
      put();
      await gateway.waitForRecord(
        (record) => isComplaint(record) && JSON.stringify(record).includes(reason),
        `a log line that says that ${reason}`,
      );
      expect(await accepted(gateway, "a", generation === 0 ? "x" : `x${generation}`)).toBe(true);
      rmSync(usersFile, { recursive: true });
      generation += 1;
      writeFileSync(usersFile, `\ufeff{\r\n"a": [{"Password": "x${generation}"}]\r\n}`);
      await waitUntil(() => accepted(gateway, "a", `x${generation}`), "the good file after it");
    }
    await gateway.stop();
  });

  it("or a file that vanishes changes nothing; SIGHUP alone takes up a change", async () => {
    const gateway = await startGateway({ backend: server, users: good });
    unlinkSync(gateway.usersFile);
    gateway.signal("SIGHUP");
    await gateway.waitForRecord(
      (record) => isComplaint(record) && JSON.stringify(record).includes("users.json"),
      "a log line about the missing file",
    );
    expect(await accepted(gateway, "a", "x")).toBe(true);
    writeFileSync(gateway.usersFile, '{"b":[{"Password":"y"}]}');
    gateway.signal("SIGHUP");
    await waitUntil(() => accepted(gateway, "b", "y"), "the recreated file");
    expect(await accepted(gateway, "a", "x")).toBe(false);
    await gateway.stop();
  });

  it("at start ends the process with code 1 and says what is wrong", async () => {
    for (const text of Object.values(badFiles)) {
      if (typeof text !== "string") continue;
      await expect(startGateway({ backend: server, users: text })).rejects.toThrow(/users\.json/);
    }
  });

  it("reloads log names of users that were added, removed and changed, and never a secret", async () => {
    const gateway = await startGateway({
      backend: server,
      users: { kept: [{ Password: "secret-kept" }], gone: [{ Password: "secret-gone" }] },
    });
    writeFileSync(
      gateway.usersFile,
      JSON.stringify({ kept: [{ Password: "secret-new" }], added: [{ Password: "secret-added" }] }),
    );
    await waitUntil(() => accepted(gateway, "added", "secret-added"), "the reload");
    const record = await gateway.waitForRecord(
      (candidate) => ["added", "gone", "kept"].every((name) => JSON.stringify(candidate).includes(name)),
      "the record of the reload",
    );
    expect(JSON.stringify(record)).toMatch(/generation/);
    await gateway.stop();
    const log = gateway.lines.join("\n");
    expect(log.length).toBeGreaterThan(100);
    expect(log).not.toMatch(/secret-/);
  });
});
