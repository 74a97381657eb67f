// Folders, ports and waiting for tests.
import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders = new Set<string>();
process.on("exit", () => {
  for (const folder of folders) removeFolder(folder);
});

/** A new folder in the temporary directory, removed at the latest when the test process exits. Short: it may hold sockets. */
export function scratchFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `gh-${name}-`));
  folders.add(folder);
  return folder;
}

/** Removes a folder and all in it; nothing happens when it is gone. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  folders.delete(folder);
}

/** Ports that fetch() and browsers refuse to talk to (https://fetch.spec.whatwg.org/#port-blocking), of our range. */
const blockedPorts: ReadonlySet<number> = new Set([10_080]);

/** One file for each port that some test process of this machine was given, with that process's id in it. */
const portFolder = join(tmpdir(), "gatehouse-test-ports");
const givenPorts = new Set<number>();
process.on("exit", () => {
  for (const port of givenPorts) rmSync(join(portFolder, String(port)), { force: true });
});

/**
 * A TCP port of 127.0.0.1 that was free a moment ago, and that no other test process gets: servers take theirs seconds
 * later. Not one that the system gives to connections going out (Linux: from 32768): any of those could take it before.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(10_000, 32_768);
    if (blockedPorts.has(port) || !reservePort(port) || !(await isFree(port))) continue;
    return port;
  }
  throw new Error("no port");
}

/** False: another process has it, or this one. */
function reservePort(port: number): boolean {
  const path = join(portFolder, String(port));
  mkdirSync(portFolder, { recursive: true, mode: 0o777 });
  // Of a process that was killed.
  if (!givenPorts.has(port) && !isAlive(Number(readOrEmpty(path)))) rmSync(path, { force: true });
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
  } catch {
    return false;
  }
  givenPorts.add(port);
  return true;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** 0: not known yet. */
function isAlive(pid: number): boolean {
  if (pid === 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Machines of CI and of those who have other work are that much slower; what is waited for comes, or never does. */
const patience = 4;

/** Waits until `condition` gives something other than false, null or undefined, and returns it; asks every 10 ms. */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  what: string,
  timeoutMs = 10_000,
): Promise<Exclude<T, false | null | undefined>> {
  const limitMs = timeoutMs * patience;
  const deadline = performance.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) {
      return value as Exclude<T, false | null | undefined>;
    }
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Rejects with a sentence when `promise` takes longer than `timeoutMs`. */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = 10_000): Promise<T> {
  const limitMs = timeoutMs * patience;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs} ms: ${what}`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
