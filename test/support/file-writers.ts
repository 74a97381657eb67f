// The ways in which people, scripts and Kubernetes change a configuration file.
import { mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** One way: `prepare` gives the path that the gateway watches, `write` changes its content. */
export interface FileWriter {
  readonly name: string;
  prepare(folder: string, text: string): string;
  write(path: string, text: string): void;
}

const plain = (folder: string, text: string): string => {
  const path = join(folder, "users.json");
  writeFileSync(path, text);
  return path;
};

let generation = 0;

/** Puts `text` into a new timestamped folder and points `..data` at it by a rename, as the kubelet does. */
function swapData(folder: string, text: string): void {
  const data = `..gen_${generation++}`;
  mkdirSync(join(folder, data));
  writeFileSync(join(folder, data, "users.json"), text);
  symlinkSync(data, join(folder, "..data_tmp"));
  let old: string | null = null;
  try {
    old = readlinkSync(join(folder, "..data"));
  } catch {
    // the first time
  }
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  if (old !== null) rmSync(join(folder, old), { recursive: true });
}

/** All of them. */
export const fileWriters: readonly FileWriter[] = [
  {
    name: "atomic rename",
    prepare: plain,
    write(path, text) {
      writeFileSync(`${path}.tmp`, text);
      renameSync(`${path}.tmp`, path);
    },
  },
  { name: "writing in place", prepare: plain, write: (path, text) => writeFileSync(path, text) },
  {
    name: "symlink swap, as Kubernetes does it",
    prepare(folder, text) {
      const mount = join(folder, "mount");
      mkdirSync(mount);
      swapData(mount, text);
      symlinkSync(join("..data", "users.json"), join(mount, "users.json"));
      return join(mount, "users.json");
    },
    write: (path, text) => swapData(dirname(path), text),
  },
  {
    name: "delete and recreate",
    prepare: plain,
    write(path, text) {
      unlinkSync(path);
      writeFileSync(path, text);
    },
  },
];
