// Sizes in bytes as people write them: `64MiB`, `1GB`, `4096`.

const bytesPer: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Bytes, or null when `text` is not a size. `KiB`, `MiB`, `GiB`, `TiB` and MySQL's single letters are powers of 1024,
 * `kB`, `MB`, `GB`, `TB` powers of 1000. Letter case does not count.
 */
export function parseByteSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text);
  const unit = (match?.[2] ?? "?").toLowerCase();
  if (match === null || !Object.hasOwn(bytesPer, unit)) return null;
  const bytes = Number(match[1]) * (bytesPer[unit] ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest exact spelling: `64MiB`, `4096B`. */
export function formatByteSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  while (value >= 1024 && value % 1024 === 0 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value}${units[unit]}`;
}
