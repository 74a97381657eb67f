// Who can read a file: the file's mode and the folders above it.
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isExample, othersCanRead } from "../../../src/server/file-mode.ts";
import { removeFolder, scratchFolder } from "../../support/scratch.ts";

const root = scratchFolder("mode");
const folder = join(root, "home");
const path = join(folder, "users.json");
mkdirSync(folder);
writeFileSync(path, "{}");
chmodSync(root, 0o755);
afterAll(() => removeFolder(root));

describe("othersCanRead()", () => {
  it.each([
    [0o644, 0o755, true],
    [0o604, 0o711, true],
    [0o640, 0o755, false],
    [0o644, 0o700, false],
    [0o644, 0o750, false],
  ])("of a file %o in a folder %o is %s", async (mode, folderMode, expected) => {
    chmodSync(folder, folderMode);
    expect(await othersCanRead({ path, mode })).toBe(expected);
  });

  it("looks at the folder that a link leads to", async () => {
    const link = join(root, "link.json");
    symlinkSync(path, link);
    chmodSync(folder, 0o700);
    expect(await othersCanRead({ path: link, mode: 0o644 })).toBe(false);
    chmodSync(folder, 0o755);
    expect(await othersCanRead({ path: link, mode: 0o644 })).toBe(true);
  });

  it("says yes in doubt", async () => {
    expect(await othersCanRead({ path: join(root, "nosuch"), mode: 0o644 })).toBe(true);
  });
});

describe("isExample()", () => {
  it("knows an example by its name, not by its folder", () => {
    expect(isExample("users.example.json")).toBe(true);
    expect(isExample("/srv/a.example.org/users.json")).toBe(false);
  });
});
