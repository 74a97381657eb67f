import { describe, expect, it } from "vitest";
import { createCryptThread } from "../../../src/auth/crypt-thread.ts";
import { decodeSha2Hash } from "../../../src/users/credential.ts";
import { sha256, sha256Crypt } from "../../../src/users/sha256-crypt.ts";

// Made by MySQL 9.7.4: CREATE USER ... IDENTIFIED BY ..., as SHOW CREATE USER prints them with
// print_identified_with_as_hex; the last one with --caching-sha2-password-digest-rounds=15000.
const ofMysql: readonly (readonly [string, number, string])[] = [
  [
    "secret",
    10_000,
    "0x244124303041246356154929747F541D7F6C602A0741615738351B70647371437749466B424C6A373853357470304E71397157796F462E474D7A2F4166386179445272794F32",
  ],
  [
    "pässwörd mit Länge über zweiunddreißig Bytes, ja",
    10_000,
    "0x24412430304124114D1D52585179070B122370677A3C6B4A0D0A7970614775587337793353637341726B624F477A433475502F6F392E4D6A5A625952767731372E586C306637",
  ],
  [
    "x",
    10_000,
    "0x2441243030412478616E4D64786F120D3F5C202569715C5E43381E73786A73724F515835346C3963346839676C57794D616D654854716D363967416F426E72496F3242336F35",
  ],
  [
    "p",
    15_000,
    "0x244124303046245F5420353631207C78370C015F744E0B501E507F7258484430645A387779452F424346515937782F2E5334434F3774484A61616F66516738584B67304C4433",
  ],
];

function decode(text: string) {
  const decoded = decodeSha2Hash(text);
  if (!decoded.ok || decoded.value.kind !== "sha256crypt") throw new Error("not decoded");
  return decoded.value;
}

describe("sha256Crypt()", () => {
  it.each(ofMysql)("makes MySQL's hash of '%s' with %i rounds", (password, rounds, text) => {
    const credential = decode(text);
    expect(credential.rounds).toBe(rounds);
    expect(sha256Crypt(Buffer.from(password), credential.salt, rounds, sha256)).toBe(credential.hash);
    expect(sha256Crypt(Buffer.from(`${password}!`), credential.salt, rounds, sha256)).not.toBe(
      credential.hash,
    );
  });

  // As glibc's crypt(3) makes them; it uses no more than 16 characters of the salt.
  it.each([
    ["Hello world!", "saltstring", 5000, "5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"],
    ["This is just a test", "toolongsaltstrin", 5000, "Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5"],
    ["a short string", "asaltof16chars..", 1400, "y0Fk6zovr6tD1B4D3RWsLIAQFRgT.akfJmhi5DwmCv4"],
    ["ein Passwort mit Umlaut: ü", "asaltof16chars..", 1000, "E9zs7Jy7SpzrSycF4NyIZb/rw6f70DYrxPoy0cJNkQC"],
    [
      "we have a short salt string but not a short password",
      "short",
      77_777,
      "JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/",
    ],
  ])("is SHA-256 crypt: %s", (password, salt, rounds, hash) => {
    expect(sha256Crypt(Buffer.from(password), Buffer.from(salt), rounds, sha256)).toBe(hash);
  });

  it("gives the same in the thread, several at once, and leaves passwords alone", async () => {
    const thread = createCryptThread();
    const password = Buffer.from("secret");
    const [first, second] = ofMysql.map(([, , text]) => decode(text));
    if (first === undefined || second === undefined) throw new Error("no strings");
    const both = [first, second];
    const hashes = await Promise.all([
      thread.crypt(password, both),
      thread.crypt(Buffer.from("other"), [first]),
    ]);
    expect(hashes[0][0]).toBe(first.hash);
    expect(hashes[0][1]).not.toBe(second.hash);
    expect(hashes[1][0]).not.toBe(first.hash);
    expect(password.toString()).toBe("secret");
    const late = thread.crypt(password, both);
    thread.close();
    await expect(late).rejects.toThrow("closed");
    await expect(thread.crypt(password, both)).rejects.toThrow("closed");
  });
});
