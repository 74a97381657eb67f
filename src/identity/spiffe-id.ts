// SPIFFE ids, read strictly (https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md, sections 2 and 3).
// Two ids are the same when their bytes are: nothing is normalised.

/** Longest id in bytes. */
export const spiffeIdBytesMax = 2048;

/** Why `text` is no SPIFFE id, as the predicate of a sentence; null when it is one. */
export function spiffeIdFault(text: string): string | null {
  if (!text.startsWith("spiffe://")) return 'must begin with "spiffe://"';
  if (text.length > spiffeIdBytesMax) return `must have at most ${spiffeIdBytesMax} bytes`;
  const [trustDomain = "", ...segments] = text.slice("spiffe://".length).split("/");
  if (!/^[a-z0-9._-]{1,255}$/.test(trustDomain)) {
    return "must have a trust domain of lower-case letters, digits, dots, dashes and underscores";
  }
  for (const segment of segments) {
    if (segment === "" || segment === "." || segment === "..") {
      return "must not have an empty, '.' or '..' part in its path, nor a '/' at its end";
    }
    if (!/^[A-Za-z0-9._-]+$/.test(segment)) {
      return "must have nothing but letters, digits, dots, dashes and underscores in its path";
    }
  }
  return null;
}
