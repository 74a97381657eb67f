// The source tree as subject: the folder table of ARCHITECTURE.md against the imports that the files really have.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const src = join(root, "src");
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

interface ImportFact {
  readonly file: string;
  readonly from: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): ImportFact[] {
  const text = readFileSync(join(src, file), "utf8");
  const facts: ImportFact[] = [];
  for (const match of text.matchAll(
    /^(import|export)\s+(type\s)?[^;"']*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm,
  )) {
    facts.push({ file, from: match[3] ?? match[4] ?? "", typeOnly: match[2] !== undefined });
  }
  for (const match of text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)) {
    facts.push({ file, from: match[1] ?? "", typeOnly: false });
  }
  return facts;
}

const imports = files.flatMap(importsOf);
const folderOf = (file: string): string => file.split("/")[0] ?? "";

function allowedTable(): Map<string, string[]> {
  const table = new Map<string, string[]>();
  const text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  for (const match of text.matchAll(/^\|\s*(?!folder)([a-z]+)\s*\|([^|\n]+)\|$/gm)) {
    table.set(
      match[1] ?? "",
      (match[2] ?? "").split(",").map((item) => item.trim()),
    );
  }
  return table;
}

describe("imports", () => {
  it("were found at all", () => {
    expect(files.length).toBeGreaterThan(15);
    expect(imports.length).toBeGreaterThan(15);
    expect(allowedTable().size).toBe(16);
  });

  it("keep to the folder table of ARCHITECTURE.md", () => {
    const table = allowedTable();
    const wrong: string[] = [];
    for (const fact of imports.filter((item) => item.from.startsWith("."))) {
      const here = folderOf(fact.file);
      const target = relative(src, resolve(src, dirname(fact.file), fact.from));
      const there = folderOf(target);
      if (here === there) continue;
      if (target.startsWith("..") && target.endsWith(".json")) continue; // schemas/ and package.json are data
      const allowed = table.get(here) ?? [];
      const permitOnly = here === "backend" && there === "acl" && target === "acl/permit.ts";
      if (!allowed.includes(there) && !permitOnly) wrong.push(`${fact.file} imports ${target}`);
    }
    expect(wrong).toEqual([]);
  });

  it("of the packages with one owner stand in one file each", () => {
    const owned = ["ajv", "chokidar", "mysql2", "pino", "prom-client", "re2js", "yargs"];
    for (const name of owned) {
      const owners = new Set(
        imports
          .filter((fact) => fact.from === name || fact.from.startsWith(`${name}/`))
          .map((fact) => fact.file),
      );
      expect([...owners].length, `${name}: ${[...owners].join(", ")}`).toBe(1);
    }
  });

  it("make no cycle between files", () => {
    const graph = new Map<string, string[]>();
    for (const fact of imports.filter((item) => item.from.startsWith(".") && !item.typeOnly)) {
      const target = relative(src, resolve(src, dirname(fact.file), fact.from));
      graph.set(fact.file, [...(graph.get(fact.file) ?? []), target]);
    }
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error(`Import cycle: ${[...path, file].join(" -> ")}`);
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of graph.keys()) visit(file, []);
  });

  it("never name a grab-bag folder", () => {
    const bad = files.filter((file) => /(^|\/)(utils?|common|helpers?)(\/|\.ts$)/.test(file));
    expect(bad).toEqual([]);
  });
});
