// Every colour that text is written in can be read on every ground it stands on, in both themes: 4.5 to 1
// (WCAG 2.2, 1.4.3).
import { describe, expect, it } from "vitest";
import { pageStyle } from "../../../src/admin/page/page-style.ts";

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const themes = [...pageStyle.matchAll(/:root\{([^}]*--ink[^}]*)\}/g)].map(
  ([, body = ""]) =>
    new Map(
      [...body.matchAll(/--([a-z]+):(#[0-9a-f]{6})/g)].map(([, name = "", colour = ""]) => [name, colour]),
    ),
);

describe("the page's colours", () => {
  it.each([
    ["light", themes[0]],
    ["dark", themes[1]],
  ])("can be read in the %s theme", (_name, theme) => {
    const colour = (name: string): string => theme?.get(name) ?? "";
    const weak: string[] = [];
    for (const text of ["ink", "soft", "bad", "good", "one", "two", "three"])
      for (const ground of ["page", "card", "button"])
        if (!(contrast(colour(text), colour(ground)) >= 4.5)) weak.push(`${text} on ${ground}`);
    if (!(contrast(colour("bad"), colour("badback")) >= 4.5)) weak.push("bad on badback");
    if (!(contrast(colour("focus"), colour("card")) >= 3)) weak.push("focus on card");
    expect(weak).toEqual([]);
  });
});
