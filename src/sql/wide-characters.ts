// Texts in character sets whose characters may hold the byte of a quote, a backslash or a letter: with such characters
// covered, their places are as in a text of ASCII. The ranges are those of the servers' own tables
// (https://dev.mysql.com/doc/refman/8.4/en/charset-asian-sets.html, strings/ctype-gbk.cc and the like).

import type { CharacterSetClass } from "./dialect.ts";

/** Classes whose characters can be told apart; `gbk` stands for gb18030 too, `sjis` for cp932. */
export type WideClass = "gbk" | "big5" | "sjis";

/** Whether it is one of these. */
export function isWide(characterSet: CharacterSetClass): characterSet is WideClass {
  return characterSet === "gbk" || characterSet === "big5" || characterSet === "sjis";
}

/** The text with a letter for every byte of a wide character. */
export function coverWide(text: string, characterSet: WideClass): string {
  return mapWide(text, characterSet, (bytes) => "x".repeat(bytes.length));
}

/** The text with every byte of a wide character as one of its own, which is no mark of SQL. */
export function shieldWide(text: string, characterSet: WideClass): string {
  return mapWide(text, characterSet, (bytes) =>
    bytes.replace(/[\s\S]/g, (byte) => String.fromCharCode(SHIELD + byte.charCodeAt(0))),
  );
}

/** The bytes again. */
export function unshieldWide(text: string): string {
  return text.replace(/[\ue000-\ue0ff]/g, (shield) => String.fromCharCode(shield.charCodeAt(0) - SHIELD));
}

/** The first code point for private use. */
const SHIELD = 0xe000;

function mapWide(text: string, characterSet: WideClass, map: (bytes: string) => string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; ) {
    if (text.charCodeAt(at) < 0x80) {
      at += 1;
      continue;
    }
    const length = characterLength(text, at, characterSet);
    parts.push(text.slice(from, at), map(text.slice(at, at + length)));
    at += length;
    from = at;
  }
  return parts.join("") + text.slice(from);
}

/** In bytes. A byte that begins no character counts alone, as servers read it. */
function characterLength(text: string, at: number, characterSet: WideClass): number {
  const first = text.charCodeAt(at);
  const second = text.charCodeAt(at + 1);
  switch (characterSet) {
    case "gbk": {
      if (!within(first, 0x81, 0xfe)) return 1;
      if (within(second, 0x40, 0x7e) || within(second, 0x80, 0xfe)) return 2;
      const isFour = within(second, 0x30, 0x39) && within(text.charCodeAt(at + 2), 0x81, 0xfe);
      return isFour && within(text.charCodeAt(at + 3), 0x30, 0x39) ? 4 : 1;
    }
    case "big5":
      if (!within(first, 0xa1, 0xf9)) return 1;
      return within(second, 0x40, 0x7e) || within(second, 0xa1, 0xfe) ? 2 : 1;
    case "sjis":
      if (!within(first, 0x81, 0x9f) && !within(first, 0xe0, 0xfc)) return 1;
      return within(second, 0x40, 0x7e) || within(second, 0x80, 0xfc) ? 2 : 1;
  }
}

function within(code: number, low: number, high: number): boolean {
  return code >= low && code <= high;
}
