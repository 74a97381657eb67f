// What a string literal stands for, as bytes (one character each), by the rules of
// https://dev.mysql.com/doc/refman/8.4/en/string-literals.html. Used where a literal is structure: text of PREPARE, file
// names, values of SET. Its result must not reach a log.

const escapes: Readonly<Record<string, string>> = {
  "0": "\0",
  b: "\b",
  n: "\n",
  r: "\r",
  t: "\t",
  Z: "\x1a",
};

/** The value of a string token as written, quotes and prefix included; null: not a string that is understood. */
export function decodeString(written: string, noBackslashEscapes: boolean): string | null {
  const first = written.charAt(0);
  if (first === "x" || first === "X") return decodeHex(written.slice(2, -1));
  if (first === "b" || first === "B") return null;
  const opening = first === "n" || first === "N" ? 1 : 0;
  const quote = written.charAt(opening);
  const inner = written.slice(opening + 1, -1);
  if (!inner.includes(quote) && !inner.includes("\\")) return inner;
  let decoded = "";
  for (let at = 0; at < inner.length; at += 1) {
    const here = inner.charAt(at);
    if (here === quote) at += 1;
    if (here !== "\\" || noBackslashEscapes) {
      decoded += here;
      continue;
    }
    at += 1;
    const escaped = inner.charAt(at);
    // For patterns servers keep the backslash.
    if (escaped === "%" || escaped === "_") decoded += here;
    decoded += escapes[escaped] ?? escaped;
  }
  return decoded;
}

function decodeHex(digits: string): string {
  let decoded = "";
  for (let at = 0; at < digits.length; at += 2) {
    decoded += String.fromCharCode(Number.parseInt(digits.slice(at, at + 2), 16));
  }
  return decoded;
}

/** The name that a quoted identifier stands for, quotes taken off; still one character a byte. */
export function unquoteName(written: string): string {
  const quote = written.charAt(0);
  const inner = written.slice(1, -1);
  return inner.includes(quote) ? inner.replaceAll(quote + quote, quote) : inner;
}
