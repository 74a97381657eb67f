// Durations as Go writes them: `500ms`, `10s`, `1h30m`, `1.5h`, `0` (https://pkg.go.dev/time#ParseDuration). Negative
// ones are not read: no setting here can use one.

const millisecondsPer: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "\u00b5s": 1e-3,
  "\u03bcs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Longer durations are refused: about 292 years, Go's own limit. */
const durationMsMax = Number(2n ** 63n / 1_000_000n);

/** Milliseconds (with fraction), or null when `text` is not a duration. */
export function parseDuration(text: string): number | null {
  if (/^\+?0$/.test(text)) return 0;
  const written = text.startsWith("+") ? text.slice(1) : text;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
  let total = 0;
  let at = 0;
  while (at < written.length) {
    part.lastIndex = at;
    const match = part.exec(written);
    if (match === null) return null;
    total += Number(match[1]) * (millisecondsPer[match[2] ?? ""] ?? 0);
    at = part.lastIndex;
  }
  return at === 0 || total > durationMsMax ? null : total;
}

/** The shortest spelling that {@link parseDuration} reads back: `1h30m`, `10s`, `500ms`, `0s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1) return milliseconds <= 0 ? "0s" : `${trimmed(milliseconds * 1000)}us`;
  if (milliseconds < 1000) return `${trimmed(milliseconds)}ms`;
  const hours = Math.floor(milliseconds / 3_600_000);
  const minutes = Math.floor((milliseconds % 3_600_000) / 60_000);
  const seconds = (milliseconds % 60_000) / 1000;
  return `${hours > 0 ? `${hours}h` : ""}${minutes > 0 ? `${minutes}m` : ""}${seconds > 0 ? `${trimmed(seconds)}s` : ""}`;
}

function trimmed(value: number): string {
  return String(Number(value.toFixed(6)));
}
