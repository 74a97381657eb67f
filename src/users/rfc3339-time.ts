// Times as RFC 3339 writes them (https://www.rfc-editor.org/rfc/rfc3339#section-5.6), strictly: with date, time and
// zone, and only moments that exist.

/** Milliseconds since the epoch; null when `text` is not such a time. A leap second counts as the second after it. */
export function parseRfc3339(text: string): number | null {
  const match =
    /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/.exec(
      text,
    );
  if (match === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const milliseconds = Math.floor(Number(`0.${match[7] ?? "0"}`) * 1000);
  const zoneHours = Number(match[9] ?? 0);
  const zoneMinutes = Number(match[10] ?? 0);
  if (hour > 23 || minute > 59 || second > 60 || zoneHours > 23 || zoneMinutes > 59) return null;
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const zoneMs = (zoneHours * 60 + zoneMinutes) * 60_000 * (match[8] === "-" ? -1 : 1);
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + milliseconds - zoneMs;
}
