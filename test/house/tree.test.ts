// The source tree as subject: sizes of files and functions, the comment that opens every file, docstrings of exports.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const fileLinesMax = 400;
const functionLinesMax = 70;

interface SourceFile {
  readonly name: string;
  readonly lines: readonly string[];
}

function filesUnder(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(ts|js|mjs)$/.test(name))
    .map((name) => ({
      name: `${folder}/${name}`,
      lines: readFileSync(join(root, folder, name), "utf8")
        .trimEnd()
        .split("\n"),
    }));
}

/** Functions and methods with their length. Leans on the formatter: a body ends at the indentation it began with. */
function functionsOf(file: SourceFile): { name: string; length: number }[] {
  const found: { name: string; length: number }[] = [];
  for (const [start, line] of file.lines.entries()) {
    const head =
      /^(\s*)(?:export )?(?:async )?function\*? (\w+)/.exec(line) ??
      /^(\s+)(?:(?:private|static|override|readonly|async|get|set) |\*)*(#?\w+)(?:<[^>]*>)?\(/.exec(line);
    if (head === null || /^\s+(if|for|while|switch|return|await|catch|throw|new|super)\b/.test(line))
      continue;
    if (line.endsWith(";")) continue; // a call, whole on its line
    const indent = head[1] ?? "";
    const signatureEnd = file.lines.findIndex(
      (other, index) =>
        (index === start && /[)}>\]\w"'] \{$/.test(other)) ||
        (index > start && (other.startsWith(`${indent})`) || other.startsWith(`${indent}})`))),
    );
    // A call ends its parentheses, too, but opens no body after them.
    if (signatureEnd === -1 || !/\)?(: .*)? \{$/.test(file.lines[signatureEnd] ?? "")) continue;
    const end = file.lines.findIndex((other, index) => index > signatureEnd && other === `${indent}}`);
    if (end !== -1) found.push({ name: `${file.name}:${start + 1} ${head[2]}`, length: end - start + 1 });
  }
  return found;
}

const source = [...filesUnder("src"), ...filesUnder("bin")];

describe("the source tree", () => {
  it("was found", () => {
    expect(source.length).toBeGreaterThan(40);
    expect(source.flatMap(functionsOf).length).toBeGreaterThan(150);
  });

  // V8 makes such a function in the old generation at once: all that it refers to, a whole session, survives minor
  // collections (`lease.onCut = () => ...` cost a login a tenth). A function in a variable is not made so.
  it("assigns no function literal to a property where sessions and commands pass", () => {
    const literal = /\.#?\w+ (\?\?)?= (async )?(function\b|\([^()]*\)(: [\w<>| ]+)? =>|\w+ =>)/;
    expect(
      literal.test("    lease.onCut = (manner, reason) => this.#observer.onBackendCut(manner, reason);"),
    ).toBe(true);
    const perSession = source.filter(({ name }) => /^src\/(base|wire|auth|session|backend)\//.test(name));
    const found = perSession.flatMap(({ name, lines }) =>
      lines.flatMap((line, index) => (literal.test(line) ? [`${name}:${index + 1}`] : [])),
    );
    expect(perSession.length).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });

  it(`has no file of more than ${fileLinesMax} lines`, () => {
    const long = source.filter((file) => file.lines.length > fileLinesMax);
    expect(long.map((file) => `${file.name}: ${file.lines.length}`)).toEqual([]);
  });

  it(`has no function of more than ${functionLinesMax} lines`, () => {
    const long = source.flatMap(functionsOf).filter((item) => item.length > functionLinesMax);
    expect(long.map((item) => `${item.name}: ${item.length}`)).toEqual([]);
  });

  it("opens every file with one to five lines of comment", () => {
    const bad = source.filter((file) => {
      const lines = file.lines[0]?.startsWith("#!") ? file.lines.slice(1) : file.lines;
      const comment = lines.findIndex((line) => !line.startsWith("//"));
      return comment < 1 || comment > 5;
    });
    expect(bad.map((file) => file.name)).toEqual([]);
  });

  it("has a docstring on every exported function, class and interface", () => {
    const bare: string[] = [];
    let seen = 0;
    for (const file of source) {
      for (const [index, line] of file.lines.entries()) {
        const name = /^export (?:abstract |async )*(?:function\*?|class|interface|type) (\w+)/.exec(
          line,
        )?.[1];
        if (name === undefined) continue;
        seen += 1;
        if (!file.lines[index - 1]?.endsWith("*/")) bare.push(`${file.name}:${index + 1} ${name}`);
      }
    }
    expect(seen).toBeGreaterThan(80);
    expect(bare).toEqual([]);
  });

  it("has no default export and no type suppression", () => {
    const bad = source.flatMap((file) =>
      file.lines
        .filter((line) => /^export default\b|@ts-ignore|@ts-expect-error|@ts-nocheck/.test(line))
        .map((line) => `${file.name}: ${line}`),
    );
    expect(bad).toEqual([]);
  });

  it("makes client permits in acl only", () => {
    const users = source.filter((file) => file.lines.some((line) => /\bclientPermit\b/.test(line)));
    expect(users.length).toBeGreaterThan(0);
    expect(users.map((file) => file.name).filter((name) => !name.startsWith("src/acl/"))).toEqual([]);
  });
});
