// The documents as subject: links lead somewhere, flags that are named exist, shell examples name real scripts.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { explainFlags } from "../../src/cli/explain-flags.ts";
import { serveFlags } from "../../src/cli/flags.ts";
import { usersCommands } from "../../src/cli/users/users-command.ts";

const root = resolve(import.meta.dirname, "../..");
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
].map((name) => ({ name, text: readFileSync(join(root, name), "utf8") }));

/** Flags of our own sub-commands, and of programs that the documents call. */
const otherFlags = new Set([
  "help",
  "version",
  "get_server_public_key",
  "enable_cleartext_plugin",
  ...Object.keys(explainFlags),
  ...Object.values(usersCommands).flatMap((command) => Object.keys(command.flags)),
]);

function anchorsOf(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/^#+ (.+)$/gm)].map((match) =>
      (match[1] ?? "")
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

describe("documents", () => {
  it("were found", () => {
    const names = documents.map((document) => document.name);
    expect(names).toEqual(
      expect.arrayContaining([
        "README.md",
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/life-of-a-connection.md",
      ]),
    );
  });

  it("have no dead link", () => {
    const dead: string[] = [];
    let seen = 0;
    for (const { name, text } of documents) {
      for (const match of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        const link = match[1] ?? "";
        if (/^[a-z]+:/.test(link)) continue;
        seen += 1;
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? join(root, name) : resolve(root, dirname(name), path);
        if (!existsSync(target)) dead.push(`${name}: ${link}`);
        else if (anchor !== undefined && !anchorsOf(readFileSync(target, "utf8")).has(anchor))
          dead.push(`${name}: ${link}`);
      }
    }
    expect(seen).toBeGreaterThan(10);
    expect(dead).toEqual([]);
  });

  it("name only flags that exist", () => {
    const unknown: string[] = [];
    let seen = 0;
    for (const { name, text } of documents) {
      // Decisions tell of what is gone, error texts are MySQL's.
      if (name.startsWith("docs/decisions/") || name === "docs/errors.md") continue;
      for (const match of text.matchAll(/(?<![\w-])--([a-z][a-z0-9]*(?:[_-][a-z0-9]+)*)/g)) {
        const flag = (match[1] ?? "").replaceAll("-", "_");
        const line = text.slice(text.lastIndexOf("\n", match.index) + 1, text.indexOf("\n", match.index));
        const ours = flag.includes("_") || /\bgatehouse\b/.test(line);
        if (!ours || /^\s+(mysql|mariadb|apt-get|docker|openssl|curl) /.test(line)) continue;
        seen += 1;
        if (!Object.hasOwn(serveFlags, flag) && !otherFlags.has(flag)) unknown.push(`${name}: --${match[1]}`);
      }
    }
    expect(seen).toBeGreaterThan(20);
    expect(unknown).toEqual([]);
  });

  it("call only npm scripts that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const unknown: string[] = [];
    for (const { name, text } of documents) {
      for (const match of text.matchAll(/npm run (?:--silent )?([a-z0-9:]+)/g)) {
        if (!Object.hasOwn(scripts, match[1] ?? "")) unknown.push(`${name}: npm run ${match[1]}`);
      }
    }
    expect(unknown).toEqual([]);
  });
});
