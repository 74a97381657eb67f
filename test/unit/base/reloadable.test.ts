import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import type { FileContent } from "../../../src/base/file-content.ts";
import { FileProblemsError, Reloadable, type ReloadEvent } from "../../../src/base/reloadable.ts";
import { type FileWatch, watchFiles } from "../../../src/base/watched-file.ts";

let directory = "";
const closing: { close(): void }[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-reload-"));
});
afterEach(() => {
  for (const item of closing.splice(0)) item.close();
  rmSync(directory, { recursive: true, force: true });
});

function textOf(contents: readonly FileContent[]): string {
  return contents.map((content) => Buffer.from(content.bytes).toString()).join("|");
}

async function started(path: string, pollMs = 500) {
  const events: ReloadEvent<string>[] = [];
  const reloadable = await Reloadable.start<string>({
    name: "test file",
    paths: [path],
    clock: systemClock,
    settleMs: 20,
    pollMs,
    load: (contents) => {
      const text = textOf(contents);
      if (text.startsWith("throw")) throw new Error(`secret ${text}`);
      return text.startsWith("good")
        ? { ok: true, value: text }
        : { ok: false, problems: [{ path, line: 1, column: 1, pointer: "", message: "Bad" }] };
    },
    onEvent: (event) => events.push(event),
  });
  closing.push(reloadable);
  // The reload that start() queues behind itself is over, so the watch stands.
  expect(await reloadable.reload("test")).toBe("unchanged");
  await new Promise((resolve) => setImmediate(resolve));
  return { reloadable, events };
}

const soon = { timeout: 3000, interval: 5 };

describe("Reloadable", () => {
  const waysToWrite: [string, (path: string, text: string) => void][] = [
    ["in place", (path, text) => writeFileSync(path, text)],
    [
      "by atomic rename",
      (path, text) => {
        writeFileSync(`${path}.new`, text);
        renameSync(`${path}.new`, path);
      },
    ],
    [
      "by deleting and recreating",
      (path, text) => {
        unlinkSync(path);
        writeFileSync(path, text);
      },
    ],
  ];

  it.each(waysToWrite)("takes a file written %s, again and again", async (_name, write) => {
    const path = join(directory, "file.json");
    writeFileSync(path, "good 0");
    const { reloadable } = await started(path);
    for (let round = 1; round <= 3; round++) {
      write(path, `good ${round}`);
      await vi.waitFor(() => expect(reloadable.current()).toBe(`good ${round}`), soon);
      expect(reloadable.generation).toBe(round + 1);
    }
  });

  it("takes a swapped ..data link as Kubernetes swaps it", async () => {
    const version = (name: string, text: string): void => {
      mkdirSync(join(directory, name));
      writeFileSync(join(directory, name, "file.json"), text);
      symlinkSync(name, join(directory, "..data.new"));
      renameSync(join(directory, "..data.new"), join(directory, "..data"));
    };
    version("..1", "good 1");
    const path = join(directory, "file.json");
    symlinkSync("..data/file.json", path);
    const { reloadable } = await started(path);
    version("..2", "good 2");
    rmSync(join(directory, "..1"), { recursive: true });
    await vi.waitFor(() => expect(reloadable.current()).toBe("good 2"), soon);
    version("..3", "good 3");
    await vi.waitFor(() => expect(reloadable.current()).toBe("good 3"), soon);
  });

  it("finds by polling what the system's watch cannot see", async () => {
    const outer = join(directory, "outer");
    mkdirSync(join(outer, "a"), { recursive: true });
    writeFileSync(join(outer, "a", "file.json"), "good 1");
    const { reloadable } = await started(join(outer, "a", "file.json"), 20);
    renameSync(outer, `${outer}-old`);
    await vi.waitFor(() => expect(reloadable.lastFailure).not.toBeNull(), soon);
    mkdirSync(join(outer, "a"), { recursive: true });
    writeFileSync(join(outer, "a", "file.json"), "good 2");
    await vi.waitFor(() => expect(reloadable.current()).toBe("good 2"), soon);
    expect(reloadable.lastFailure).toBeNull();
  });

  it("keeps the last good value and tells each bad content once", async () => {
    const path = join(directory, "file.json");
    writeFileSync(path, "good 1");
    const { reloadable, events } = await started(path);
    writeFileSync(path, "bad 1");
    expect(await reloadable.reload("SIGHUP")).toBe("failed");
    expect(await reloadable.reload("SIGHUP")).toBe("failed");
    chmodSync(path, 0o600);
    unlinkSync(path);
    expect(await reloadable.reload("SIGHUP")).toBe("failed");
    expect(reloadable.current()).toBe("good 1");
    expect(reloadable.generation).toBe(1);
    const messages = events.map((event) =>
      event.kind === "failed" ? event.problems[0]?.message : "reloaded",
    );
    expect(messages).toEqual(["Bad", "Cannot read the file: it does not exist"]);
    expect(reloadable.lastFailure?.problems[0]?.path).toBe(path);
    writeFileSync(path, "good 2");
    expect(await reloadable.reload("SIGHUP")).toBe("reloaded");
    expect(reloadable.lastFailure).toBeNull();
  });

  it("says nothing of a half-written file when a signal comes in the middle of writing", async () => {
    const path = join(directory, "file.json");
    writeFileSync(path, "good 1");
    const events: ReloadEvent<string>[] = [];
    const looked: string[] = [];
    const reloadable = await Reloadable.start<string>({
      name: "test file",
      paths: [path],
      clock: systemClock,
      settleMs: 40,
      watch: false,
      load: (contents) => {
        const text = textOf(contents);
        looked.push(text);
        // The writer goes on between the first look and the second.
        if (text === "go") writeFileSync(path, "good 2");
        const problem = { path, line: 1, column: 1, pointer: "", message: "Bad" };
        return text.startsWith("good") ? { ok: true, value: text } : { ok: false, problems: [problem] };
      },
      onEvent: (event) => events.push(event),
    });
    closing.push(reloadable);
    writeFileSync(path, "go");
    expect(await reloadable.reload("SIGHUP")).toBe("reloaded");
    expect(reloadable.current()).toBe("good 2");
    expect(events.map((event) => event.kind)).toEqual(["reloaded"]);
    expect(looked).toEqual(["good 1", "go", "good 2"]);
  });

  it("tells when a bad file is again what is in use", async () => {
    const path = join(directory, "file.json");
    writeFileSync(path, "good 1");
    const { reloadable, events } = await started(path);
    writeFileSync(path, "bad 1");
    expect(await reloadable.reload("SIGHUP")).toBe("failed");
    writeFileSync(path, "good 1");
    expect(await reloadable.reload("SIGHUP")).toBe("unchanged");
    expect(events.map((event) => event.kind)).toEqual(["failed", "restored"]);
    expect(reloadable.lastFailure).toBeNull();
  });

  it("is not reloaded by a file that was only touched or rewritten", async () => {
    const path = join(directory, "file.json");
    writeFileSync(path, "good 1");
    const { reloadable, events } = await started(path);
    writeFileSync(path, "good 1");
    expect(await reloadable.reload("interval")).toBe("unchanged");
    expect(events).toEqual([]);
    expect(reloadable.generation).toBe(1);
  });

  it("tells the kind of a loader's failure, never its message", async () => {
    const path = join(directory, "file.json");
    writeFileSync(path, "good 1");
    const { reloadable, events } = await started(path);
    writeFileSync(path, "throw");
    expect(await reloadable.reload("SIGHUP")).toBe("failed");
    expect(JSON.stringify(events)).toContain("the loader failed with Error");
    expect(JSON.stringify(events)).not.toContain("secret");
  });

  it("calls subscribers after the swap, until they unsubscribe", async () => {
    const path = join(directory, "file.json");
    writeFileSync(path, "good 1");
    const { reloadable } = await started(path);
    const seen: string[] = [];
    const unsubscribe = reloadable.subscribe((value, previous) => seen.push(`${previous} -> ${value}`));
    writeFileSync(path, "good 2");
    await reloadable.reload("SIGHUP");
    unsubscribe();
    writeFileSync(path, "good 3");
    await reloadable.reload("SIGHUP");
    expect(seen).toEqual(["good 1 -> good 2"]);
  });

  it("never loads twice at a time", async () => {
    const path = join(directory, "file.json");
    writeFileSync(path, "0");
    let running = 0;
    let most = 0;
    const reloadable = await Reloadable.start({
      name: "test",
      paths: [path],
      clock: systemClock,
      watch: false,
      load: async (contents) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        return { ok: true, value: textOf(contents) };
      },
    });
    const results: Promise<string>[] = [];
    for (let round = 1; round <= 5; round++) {
      writeFileSync(path, String(round));
      results.push(reloadable.reload("test"));
    }
    expect(await Promise.all(results)).toContain("reloaded");
    await reloadable.reload("test");
    expect(most).toBe(1);
    expect(reloadable.current()).toBe("5");
  });

  it("cannot start without a file, with a bad one, a directory or too large a one", async () => {
    const load = () => ({ ok: true as const, value: 1 });
    const start = (path: string) =>
      Reloadable.start({ name: "x", paths: [path], clock: systemClock, load, bytesMax: 10 });
    await expect(start(join(directory, "none"))).rejects.toThrow(
      "none: Cannot read the file: it does not exist",
    );
    await expect(start(directory)).rejects.toThrow("it is not a regular file");
    writeFileSync(join(directory, "large"), "12345678901");
    await expect(start(join(directory, "large"))).rejects.toThrow("11 bytes: at most 10 are read");
    await expect(start(join(directory, "large"))).rejects.toBeInstanceOf(FileProblemsError);
  });
});

describe("watchFiles()", () => {
  it("waits for a file that is written in pieces", async () => {
    const path = join(directory, "slow.json");
    writeFileSync(path, "start");
    let told = 0;
    const watch: FileWatch = watchFiles({
      paths: [path],
      settleMs: 60,
      pollMs: 10,
      onSettled: () => void told++,
    });
    closing.push(watch);
    for (let piece = 0; piece < 10; piece++) {
      writeFileSync(path, `${"x".repeat(piece)}`);
      await new Promise((resolve) => setTimeout(resolve, 5)); // The pieces have to lie apart in time.
    }
    await vi.waitFor(() => expect(told).toBeGreaterThan(0), soon);
    expect(told).toBe(1);
  });

  it("is silent once closed", async () => {
    const path = join(directory, "closed.json");
    writeFileSync(path, "1");
    let told = 0;
    const watch = watchFiles({ paths: [path], settleMs: 1, pollMs: 1, onSettled: () => void told++ });
    watch.close();
    writeFileSync(path, "2");
    const other = watchFiles({ paths: [path], settleMs: 1, pollMs: 1, onSettled: () => void told++ });
    closing.push(other);
    await new Promise((resolve) => setImmediate(resolve));
    writeFileSync(path, "33");
    await vi.waitFor(() => expect(told).toBe(1), soon);
  });
});
