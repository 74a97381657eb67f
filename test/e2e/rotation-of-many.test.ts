// A thousand users get new passwords while clients log in all the time: batch by batch through the file, and some by the
// commands. Not one login with a password that is meant to work may fail; old passwords stop.
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { gatewayCommand, startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { runProgram } from "../support/processes.ts";
import { login } from "../support/raw/login.ts";
import { nativeHash, sha2Hash } from "../support/raw/passwords.ts";
import { waitUntil } from "../support/scratch.ts";

const usersTotal = 1000;
const batchSize = 200;
const loops = 6;

let server: DatabaseServer;
let gateway: GatewayProcess;
type Entry = Record<string, string>;
const nameOf = (index: number): string => `user${index}`;
const oldEntry = (index: number): Entry => ({
  MysqlNativePassword: nativeHash(`old-${index}`),
  UserData: "shop",
});
const newEntry = (index: number): Entry => ({
  CachingSha2Password: sha2Hash(`new-${index}`),
  UserData: "shop",
});
const file: Record<string, Entry[]> = {};
for (let index = 0; index < usersTotal; index += 1) file[nameOf(index)] = [oldEntry(index)];

beforeAll(async () => {
  server = await startMariadb({ skipNetworking: true });
  gateway = await startGateway({ backend: server, users: file });
});
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
});

/** The password that each user's applications use now, and logins under way with the one before. */
const passwords = Array.from({ length: usersTotal }, (_, index) => `old-${index}`);
let underWay = new Set<Promise<unknown>>();
const seen = { logins: 0, failures: [] as string[], stop: false };

async function logInAs(index: number, password: string): Promise<boolean> {
  const plugin = password.startsWith("old") ? "mysql_native_password" : "caching_sha2_password";
  const { client, result } = await login(
    { socketPath: gateway.socketPath },
    { user: nameOf(index), password, plugin },
  );
  client.destroy();
  return result.ok;
}

async function loop(): Promise<void> {
  while (!seen.stop) {
    const index = Math.floor(Math.random() * usersTotal);
    const password = passwords[index] ?? "";
    const attempt = logInAs(index, password).then(
      (accepted) => {
        if (accepted) seen.logins += 1;
        else seen.failures.push(`${nameOf(index)} with ${password}`);
      },
      (error: unknown) => seen.failures.push(String(error)),
    );
    const set = underWay;
    set.add(attempt);
    await attempt;
    set.delete(attempt);
  }
}

async function save(): Promise<void> {
  const before = (await gateway.metric("gatehouse_file_generation", { file: "users file" })) ?? 0;
  writeFileSync(`${gateway.usersFile}.new`, JSON.stringify(file));
  chmodSync(`${gateway.usersFile}.new`, 0o600);
  renameSync(`${gateway.usersFile}.new`, gateway.usersFile);
  await waitUntil(
    async () => ((await gateway.metric("gatehouse_file_generation", { file: "users file" })) ?? 0) > before,
    "the reload",
    30_000,
  );
}

/** Applications take a new password; whoever began with the old one gets through first. */
async function move(indices: readonly number[]): Promise<void> {
  for (const index of indices) passwords[index] = `new-${index}`;
  const before = underWay;
  underWay = new Set();
  await Promise.all(before);
}

async function users(...words: string[]): Promise<string> {
  const result = await runProgram([...gatewayCommand, "users", ...words, `--file=${gateway.usersFile}`], {
    timeoutMs: 30_000,
  });
  expect(`${result.stderr}${result.code}`).toMatch(/0$/);
  return result.stdout;
}

describe("the rotation of a thousand users", () => {
  it("fails no login, whether files or commands do it", async () => {
    const running = Array.from({ length: loops }, loop);
    for (let from = 0; from < usersTotal; from += batchSize) {
      const batch = Array.from({ length: batchSize }, (_, offset) => from + offset);
      for (const index of batch) file[nameOf(index)]?.push(newEntry(index));
      await save();
      await move(batch);
      for (const index of batch) file[nameOf(index)]?.shift();
      await save();
    }
    // The last few once more, by the commands.
    for (const index of [1, 500, 999]) {
      const printed = await users("rotate", nameOf(index));
      const password = /^[\w-]{40,}$/m.exec(printed)?.[0] ?? "";
      await waitUntil(() => logInAs(index, password), "the printed password");
      passwords[index] = password;
      const before = underWay;
      underWay = new Set();
      await Promise.all(before);
      await users("retire", nameOf(index), "--force");
    }
    await waitUntil(async () => !(await logInAs(500, "new-500")), "the end of the retired password");
    seen.stop = true;
    await Promise.all(running);
    expect(seen.failures).toEqual([]);
    expect(seen.logins).toBeGreaterThan(usersTotal);
    for (const index of [0, 400, 998]) expect(await logInAs(index, `old-${index}`)).toBe(false);
    const final = JSON.parse(readFileSync(gateway.usersFile, "utf8")) as typeof file;
    expect(Object.values(final).every((entries) => entries.length === 1)).toBe(true);
  });
});
