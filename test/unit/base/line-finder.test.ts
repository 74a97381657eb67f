import fc from "fast-check";
import { expect, it } from "vitest";
import { lineFinder } from "../../../src/base/json-text.ts";

it("lineFinder() counts lines and columns as walking through the text does, a byte order mark left out", () => {
  const text = fc.array(fc.constantFrom("a", "€", "\n", "\r\n", "😀")).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, fc.boolean(), (body, hasMark) => {
      const whole = hasMark ? `\ufeff${body}` : body;
      const find = lineFinder(whole);
      let line = 1;
      let column = hasMark ? 0 : 1;
      for (let offset = 0; offset <= whole.length; offset++) {
        if (!(hasMark && offset === 0)) expect(find(offset)).toEqual({ line, column });
        if (whole[offset] === "\n") {
          line += 1;
          column = 1;
        } else {
          column += 1;
        }
      }
    }),
  );
});
