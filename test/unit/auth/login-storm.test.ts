// Many logins at a time, and thread or key trouble: limits hold, everybody gets an outcome.
import { afterEach, expect, it } from "vitest";
import { sha2Hash } from "../../support/raw/passwords.ts";
import { tcpPeer, tlsPeer } from "../users/support.ts";
import { dollarA } from "./dollar-a.ts";
import { type Bench, benchOf, type Login, logIn, verdictOf } from "./support.ts";

let bench: Bench;
afterEach(() => bench.authenticator.close());

function tally(logins: readonly Login[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const verdict of logins.map(verdictOf)) counts[verdict] = (counts[verdict] ?? 0) + 1;
  return counts;
}

it("many first logins with one right password cost one crypt", async () => {
  bench = await benchOf({ c: [{ CachingSha2Password: dollarA("c") }] });
  const logins = await Promise.all(
    Array.from({ length: 200 }, () => logIn(bench, { user: "c", password: "c" })),
  );
  expect(tally(logins)).toEqual({ "ok c": 200 });
  expect(bench.counts.crypts).toBe(1);
});

it("one address fills its share of the queue and no more: others still log in", async () => {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  bench = await benchOf({ c: [{ CachingSha2Password: dollarA("c") }] }, {}, (crypto) => ({
    ...crypto,
    crypt: async (password, jobs) => {
      await released;
      return crypto.crypt(
        password,
        jobs.map((job) => ({ ...job, rounds: password.length === 1 ? job.rounds : 1 })),
      );
    },
  }));
  const wrong = { user: "c", password: "wrong", plugin: "mysql_clear_password" };
  const flood = Array.from({ length: 400 }, () => logIn(bench, { ...wrong, peer: tlsPeer("192.0.2.1") }));
  const other = logIn(bench, { ...wrong, password: "c", peer: tlsPeer("192.0.2.2") });
  const refusedAtOnce = await Promise.race([...flood]);
  expect(verdictOf(refusedAtOnce)).toBe("1045 crypt_queue_full");
  release();
  expect(verdictOf(await other)).toBe("ok c");
  // One runs, 256 wait.
  expect(tally(await Promise.all(flood))).toEqual({
    "1045 wrong_password": 257,
    "1045 crypt_queue_full": 143,
  });
});

it("failures never push proven digests out", async () => {
  bench = await benchOf({ c: [{ CachingSha2Password: dollarA("c") }] });
  await logIn(bench, { user: "c", password: "c" });
  for (let round = 0; round < 20; round++) await logIn(bench, { user: `x${round}`, password: "no" });
  expect((await logIn(bench, { user: "c", password: "c" })).trace).toEqual(["more 03"]);
});

it("a thread that fails is a refusal like others, and does not touch what needs no crypt", async () => {
  bench = await benchOf(
    { c: [{ CachingSha2Password: dollarA("c") }], s: [{ CachingSha2Password: sha2Hash("s") }] },
    {},
    (crypto) => ({ ...crypto, crypt: () => Promise.reject(new Error("broken")) }),
  );
  expect(verdictOf(await logIn(bench, { user: "c", password: "c" }))).toBe("1045 crypt_failed");
  expect(verdictOf(await logIn(bench, { user: "s", password: "s" }))).toBe("ok s");
});

it("logins in the middle of a close are refused", async () => {
  bench = await benchOf({ c: [{ CachingSha2Password: dollarA("c", "00F") }] });
  const login = logIn(bench, { user: "c", password: "c", peer: tcpPeer(), plugin: "sha256_password" });
  bench.authenticator.close();
  expect(verdictOf(await login)).toBe("1045 crypt_failed");
});
