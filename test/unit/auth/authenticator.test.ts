import { afterEach, describe, expect, it } from "vitest";
import type { Peer } from "../../../src/identity/peer.ts";
import { nativeHash, sha2Hash } from "../../support/raw/passwords.ts";
import { tcpPeer, tlsPeer, unixPeer } from "../users/support.ts";
import { dollarA } from "./dollar-a.ts";
import {
  type Bench,
  benchOf,
  type ClientBehaviour,
  type Login,
  logIn,
  testRsaKey,
  verdictOf,
} from "./support.ts";

let bench: Bench;
afterEach(() => bench.authenticator.close());

const plugins = [
  "caching_sha2_password",
  "mysql_native_password",
  "sha256_password",
  "mysql_clear_password",
  "dialog",
] as const;
const peers: readonly (readonly [string, Peer])[] = [
  ["TLS", tlsPeer()],
  ["unix", unixPeer],
  ["plain TCP", tcpPeer()],
];

/** Every method over every transport that may carry it. */
const ways = plugins.flatMap((plugin) =>
  peers
    .filter(([name]) => !(plugin === "mysql_clear_password" && name === "plain TCP"))
    .map(([name, peer]) => ({ plugin, transport: name, peer })),
);

describe("static users, Vitess's cases", () => {
  it.each(ways)("by $plugin over $transport", async ({ plugin, peer }) => {
    bench = await benchOf({
      user01: [{ Password: "user01" }],
      user02: [{ MysqlNativePassword: nativeHash("user02") }],
      user03: [{ MysqlNativePassword: nativeHash("user03"), Password: "invalid" }],
      user04: [{ MysqlNativePassword: nativeHash("password1") }, { Password: "password2", UserData: "two" }],
      sha2only: [{ CachingSha2Password: sha2Hash("sha2only") }],
    });
    const verdict = async (user: string, password: string): Promise<string> =>
      verdictOf(await logIn(bench, { user, password, plugin, peer }));
    expect(await verdict("user01", "user01")).toBe("ok user01");
    expect(await verdict("user01", "wrong")).toBe("1045 wrong_password");
    expect(await verdict("user01", "")).toMatch(/^1045 /);
    expect(await verdict("user02", "user02")).toBe("ok user02");
    expect(await verdict("user02", "wrong")).toBe("1045 wrong_password");
    expect(await verdict("user02", "")).toMatch(/^1045 /);
    expect(await verdict("user03", "user03")).toBe("ok user03");
    expect(await verdict("user03", "invalid")).toBe("1045 wrong_password");
    expect(await verdict("user03", "")).toMatch(/^1045 /);
    expect(await verdict("user04", "password1")).toBe("ok user04");
    expect(await verdict("user04", "password2")).toBe("ok two");
    expect(await verdict("user04", "")).toMatch(/^1045 /);
    expect(await verdict("nobody", "x")).toBe("1045 unknown_user");
    expect(await verdict("", "x")).toBe("1045 unknown_user");
    expect(await verdict("sha2only", "")).toMatch(/^1045 /);
  });

  it.each(ways)("entries with nothing but a hash, by $plugin over $transport", async ({ plugin, peer }) => {
    bench = await benchOf({
      sha2: [
        { CachingSha2Password: sha2Hash("one") },
        { CachingSha2Password: sha2Hash("two"), UserData: "b" },
      ],
      crypt: [
        { CachingSha2Password: dollarA("three") },
        { CachingSha2Password: dollarA("four", "00A"), UserData: "d" },
      ],
      mixed: [
        { MysqlNativePassword: nativeHash("five"), UserData: "e" },
        { CachingSha2Password: dollarA("six"), UserData: "f" },
        { CachingSha2Password: sha2Hash("seven"), UserData: "g" },
        { Password: "eight", UserData: "h" },
      ],
    });
    const verdict = async (user: string, password: string): Promise<string> =>
      verdictOf(await logIn(bench, { user, password, plugin, peer }));
    expect(await verdict("sha2", "one")).toBe("ok sha2");
    expect(await verdict("sha2", "two")).toBe("ok b");
    expect(await verdict("sha2", "three")).toBe("1045 wrong_password");
    expect(await verdict("crypt", "three")).toBe("ok crypt");
    expect(await verdict("crypt", "four")).toBe("ok d");
    expect(await verdict("crypt", "one")).toBe("1045 wrong_password");
    // On plain TCP a client that begins with native is switched to caching_sha2, so everything is in reach.
    expect(await verdict("mixed", "five")).toBe("ok e");
    expect(await verdict("mixed", "six")).toBe("ok f");
    expect(await verdict("mixed", "seven")).toBe("ok g");
    expect(await verdict("mixed", "eight")).toBe("ok h");
    expect(await verdict("mixed", "nine")).toBe("1045 wrong_password");
    for (const user of ["sha2", "crypt", "mixed"]) expect(await verdict(user, "")).toMatch(/^1045 /);
  });
});

describe("conversations", () => {
  const trace = async (client: ClientBehaviour): Promise<string> => {
    const login = await logIn(bench, client);
    return [...login.trace, verdictOf(login)].join(", ");
  };

  it("caching_sha2: fast where a digest is known, full where not, fast again afterwards", async () => {
    bench = await benchOf({
      a: [{ CachingSha2Password: sha2Hash("a") }],
      c: [{ CachingSha2Password: dollarA("c") }],
    });
    expect(await trace({ user: "a", password: "a" })).toBe("more 03, ok a");
    expect(await trace({ user: "c", password: "c" })).toBe("more 04, ok c");
    expect(await trace({ user: "c", password: "c" })).toBe("more 03, ok c");
    expect(await trace({ user: "c", password: "c", peer: tcpPeer() })).toBe("more 03, ok c");
    expect(await trace({ user: "c", password: "d" })).toBe("more 04, 1045 wrong_password");
    expect(await trace({ user: "c", password: "c" })).toBe("more 03, ok c");
  });

  it("caching_sha2 on plain TCP: by RSA, with the key asked for or known; without it the client hangs up", async () => {
    bench = await benchOf({ c: [{ CachingSha2Password: dollarA("c") }] });
    const peer = tcpPeer();
    const { publicKeyPem } = await testRsaKey();
    expect(await trace({ user: "c", password: "x", peer })).toBe("more 04, more key, 1045 wrong_password");
    expect(await trace({ user: "c", password: "c", peer, requestKey: false })).toBe("more 04, hung up");
    expect(await trace({ user: "c", password: "c", peer, publicKeyPem })).toBe("more 04, ok c");
    bench.reload({ c: [{ CachingSha2Password: dollarA("c", "006") }] });
    expect(await trace({ user: "c", password: "c", peer })).toBe("more 04, more key, ok c");
  });

  it("switch at most once, as the first thing, by what the whole file holds", async () => {
    bench = await benchOf({ n: [{ MysqlNativePassword: nativeHash("n") }], p: [{ Password: "p" }] });
    const peer = tcpPeer();
    const native = { plugin: "mysql_native_password" };
    expect(await trace({ user: "p", password: "p", peer })).toBe("more 03, ok p");
    expect(await trace({ user: "n", password: "n", peer })).toBe("switch mysql_native_password, ok n");
    expect(await trace({ user: "x", password: "n", peer })).toBe(
      "switch mysql_native_password, 1045 unknown_user",
    );
    expect(await trace({ user: "n", password: "n", peer: tlsPeer() })).toBe("more 04, ok n");
    expect(await trace({ user: "n", password: "n", peer: unixPeer })).toBe("more 04, ok n");
    expect(await trace({ user: "n", password: "x", peer, ...native })).toBe("1045 wrong_password");
    bench.reload({ s: [{ CachingSha2Password: sha2Hash("s") }], p: [{ Password: "p" }] });
    expect(await trace({ user: "p", password: "p", peer, ...native })).toBe("ok p");
    expect(await trace({ user: "s", password: "s", peer, ...native })).toBe(
      "switch caching_sha2_password, more 03, ok s",
    );
    expect(await trace({ user: "x", password: "s", peer, ...native })).toBe(
      "switch caching_sha2_password, 1045 unknown_user",
    );
    expect(await trace({ user: "x", password: "s", peer })).toBe("1045 unknown_user");
    expect(await trace({ user: "x", password: "s" })).toBe("more 04, 1045 unknown_user");
  });

  it("ask for sha256_password where native-only and $A$-only entries meet on plain TCP", async () => {
    bench = await benchOf({
      n: [{ MysqlNativePassword: nativeHash("n") }],
      c: [{ CachingSha2Password: dollarA("c") }],
    });
    const peer = tcpPeer();
    for (const user of ["n", "c"]) {
      expect(await trace({ user, password: user, peer })).toBe(
        `switch sha256_password, more key, ok ${user}`,
      );
    }
    expect(await trace({ user: "x", password: "x", peer })).toBe(
      "switch sha256_password, more key, 1045 unknown_user",
    );
  });

  it("sha256_password and mysql_clear_password take the password at once over TLS", async () => {
    bench = await benchOf({ n: [{ MysqlNativePassword: nativeHash("n") }] });
    expect(await trace({ user: "n", password: "n", plugin: "sha256_password" })).toBe("ok n");
    expect(await trace({ user: "n", password: "n", plugin: "mysql_clear_password" })).toBe("ok n");
    expect(await trace({ user: "n", password: "n", plugin: "mysql_clear_password", peer: unixPeer })).toBe(
      "ok n",
    );
    expect(await trace({ user: "n", password: "n", plugin: "sha256_password", peer: unixPeer })).toBe(
      "more key, ok n",
    );
    const noNul = { authResponse: Buffer.from("n") };
    expect(await trace({ user: "n", password: "n", plugin: "mysql_clear_password", ...noNul })).toBe("ok n");
  });

  it("refuse clear text without TLS, unless it is allowed", async () => {
    const file = { n: [{ MysqlNativePassword: nativeHash("n") }] };
    const client = { user: "n", password: "n", plugin: "mysql_clear_password", peer: tcpPeer() };
    bench = await benchOf(file);
    expect(await trace(client)).toBe("1045 clear_text_without_tls");
    bench.authenticator.close();
    bench = await benchOf(file, { allowClearTextWithoutTls: true });
    expect(await trace(client)).toBe("ok n");
    expect(await trace({ ...client, password: "x" })).toBe("1045 wrong_password");
  });

  it("an empty first answer gets one switch: the client may not have begun", async () => {
    bench = await benchOf({ p: [{ Password: "p" }] });
    const authResponse = new Uint8Array(0);
    expect(await trace({ user: "p", password: "p", authResponse })).toBe(
      "switch caching_sha2_password, more 03, ok p",
    );
    expect(await trace({ user: "p", password: "p", authResponse, plugin: "mysql_native_password" })).toBe(
      "switch mysql_native_password, ok p",
    );
    expect(await trace({ user: "p", password: "", authResponse })).toBe(
      "switch caching_sha2_password, 1045 empty_password",
    );
  });

  it("COM_CHANGE_USER always begins with a switch and a new scramble", async () => {
    bench = await benchOf({ p: [{ Password: "p" }] });
    const origin = "change_user" as const;
    expect(await trace({ user: "p", password: "p", origin })).toBe(
      "switch caching_sha2_password, more 03, ok p",
    );
    expect(await trace({ user: "p", password: "x", origin })).toBe(
      "switch caching_sha2_password, more 04, 1045 wrong_password",
    );
    expect(await trace({ user: "p", password: "p", origin, plugin: "mysql_native_password" })).toBe(
      "switch mysql_native_password, ok p",
    );
    expect(await trace({ user: "p", password: "p", origin, plugin: null })).toBe("ok p");
    const clear = { plugin: "mysql_clear_password", peer: tcpPeer() };
    expect(await trace({ user: "p", password: "p", origin, ...clear })).toBe(
      "switch caching_sha2_password, more 03, ok p",
    );
    const scrambles = new Set<string>();
    const request = (await logIn(bench, { user: "p", password: "p" })).request;
    for (let round = 0; round < 3; round++) {
      const step = await bench.authenticator.authenticate({ ...request, origin }).next(new Uint8Array(0));
      if (step.done === true || step.value.kind !== "switch") throw new Error("no switch");
      expect(step.value.data).toHaveLength(21);
      expect(step.value.data[20]).toBe(0);
      scrambles.add(Buffer.from(step.value.data).toString("hex"));
    }
    expect(scrambles.size).toBe(3);
  });

  it("COM_CHANGE_USER by native has the scramble that the client knows: MariaDB's clients answer that one", async () => {
    bench = await benchOf({ p: [{ Password: "p" }] });
    const { request } = await logIn(bench, { user: "p", password: "p" });
    const native = { ...request, origin: "change_user" as const, clientPlugin: "mysql_native_password" };
    const step = await bench.authenticator.authenticate(native).next(new Uint8Array(0));
    if (step.done === true || step.value.kind !== "switch") throw new Error("no switch");
    expect(step.value.data).toEqual(Uint8Array.of(...request.scramble, 0));
  });

  it("a client without methods is judged by native; 1251 where native could never do", async () => {
    bench = await benchOf({ p: [{ Password: "p" }] });
    expect(await trace({ user: "p", password: "p", plugin: null })).toBe("ok p");
    expect(await trace({ user: "p", password: "x", plugin: null })).toBe("1045 wrong_password");
    expect(await trace({ user: "p", password: "", plugin: null })).toBe("1045 empty_password");
    bench.reload({ s: [{ CachingSha2Password: sha2Hash("s") }] });
    expect(await trace({ user: "s", password: "s", plugin: null })).toBe("1251 client_without_plugins");
    expect(await trace({ user: "x", password: "s", plugin: null })).toBe("1251 client_without_plugins");
  });

  it.each([
    ["mysql_native_password", 20],
    ["caching_sha2_password", 32],
  ])("a scramble of a wrong length ends with 1045 at once: %s", async (plugin, right) => {
    bench = await benchOf({
      p: [{ Password: "p" }],
      n: [{ MysqlNativePassword: nativeHash("n") }],
      s: [{ CachingSha2Password: sha2Hash("s") }],
    });
    for (const length of [1, 2, 19, 20, 21, 31, 32, 33, 255, 70_000].filter((value) => value !== right)) {
      for (const peer of [tlsPeer(), tcpPeer()]) {
        const authResponse = Buffer.alloc(length, 0x41);
        expect(await trace({ user: "p", password: "p", plugin, authResponse, peer })).toBe(
          "1045 wrong_length",
        );
      }
    }
  });

  it("a password that is too long or holds a NUL is refused before anything is computed", async () => {
    bench = await benchOf({ p: [{ Password: "p" }] });
    for (const text of ["x".repeat(257), "a\0b", "p\0"]) {
      const authResponse = Buffer.from(`${text}\0`);
      expect(await trace({ user: "p", password: "p", plugin: "mysql_clear_password", authResponse })).toBe(
        "1045 wrong_length",
      );
    }
    expect(bench.counts).toMatchObject({ sha1: 0, sha256: 0 });
  });

  it("a ciphertext of a wrong length, of another key, of another scramble: 1045", async () => {
    bench = await benchOf({ p: [{ CachingSha2Password: dollarA("p") }] });
    const request = (await logIn(bench, { user: "p", password: "x", peer: tcpPeer() })).request;
    for (const [answer, reason] of [
      [Buffer.alloc(255, 1), "wrong_length"],
      [Buffer.alloc(257, 1), "wrong_length"],
      [Buffer.from("p\0"), "wrong_length"],
      [Buffer.alloc(256, 1), "wrong_ciphertext"],
    ] as const) {
      const conversation = bench.authenticator.authenticate(request);
      expect((await conversation.next(new Uint8Array(0))).value).toMatchObject({
        kind: "more",
        data: Uint8Array.of(4),
      });
      expect((await conversation.next(answer)).value).toMatchObject({ kind: "refused", reason });
    }
  });
});

describe("what the client is told", () => {
  const text = (login: Login): string =>
    login.outcome?.kind === "refused"
      ? `${login.outcome.error.sqlState} ${login.outcome.error.message}`
      : "ok";

  it("is MySQL's sentence; 'using password' tells of the last answer", async () => {
    bench = await benchOf({ u: [{ Password: "p" }] });
    const yes = "28000 Access denied for user 'u'@'192.0.2.7' (using password: YES)";
    const no = "28000 Access denied for user 'u'@'192.0.2.7' (using password: NO)";
    expect(text(await logIn(bench, { user: "u", password: "x" }))).toBe(yes);
    expect(text(await logIn(bench, { user: "u", password: "" }))).toBe(no);
    const native = { plugin: "mysql_native_password", password: "" };
    expect(text(await logIn(bench, { user: "u", ...native }))).toBe(no);
    const late = { authResponse: new Uint8Array(0), password: "x" };
    expect(text(await logIn(bench, { user: "u", ...late }))).toBe(yes);
    expect(text(await logIn(bench, { user: "u", password: "x", peer: unixPeer }))).toContain(
      "'u'@'localhost'",
    );
  });

  it("3118 for a locked account with the right password, 1045 with a wrong one", async () => {
    bench = await benchOf({
      l: [{ Password: "p", AccountLocked: true }],
      c: [{ CachingSha2Password: dollarA("c"), AccountLocked: true }],
      half: [
        { Password: "p", AccountLocked: true, UserData: "first" },
        { Password: "p", UserData: "second" },
      ],
    });
    for (const { plugin, peer } of ways) {
      const right = await logIn(bench, { user: "l", password: "p", plugin, peer });
      expect(verdictOf(right)).toBe("3118 account_locked");
      expect(text(right)).toMatch(/^HY000 Access denied for user 'l'@'.*'\. Account is locked\.$/);
      expect(verdictOf(await logIn(bench, { user: "l", password: "x", plugin, peer }))).toBe(
        "1045 wrong_password",
      );
      expect(verdictOf(await logIn(bench, { user: "c", password: "c", plugin, peer }))).toBe(
        "3118 account_locked",
      );
      expect(verdictOf(await logIn(bench, { user: "half", password: "p", plugin, peer }))).toBe("ok second");
    }
  });

  it("1045 where SourceHost, transport or time do not admit, with the reason for the audit log", async () => {
    bench = await benchOf({
      host: [{ Password: "p", SourceHost: "10.0.0.0/8" }],
      socket: [{ Password: "p", SourceHost: "localhost" }],
      tls: [{ Password: "p", RequireSecureTransport: true }],
      time: [{ Password: "p", NotBefore: "2026-01-01T00:00:00Z", NotAfter: "2026-01-02T00:00:00Z" }],
      none: [{ Groups: ["g"] }],
      two: [
        { Password: "p", SourceHost: "10.0.0.0/8", UserData: "inside" },
        { Password: "p", UserData: "outside" },
      ],
    });
    const verdict = async (user: string, peer: Peer): Promise<string> =>
      verdictOf(await logIn(bench, { user, password: "p", peer }));
    expect(await verdict("host", tlsPeer("10.1.2.3"))).toBe("ok host");
    expect(await verdict("host", tlsPeer("11.1.2.3"))).toBe("1045 source_host");
    expect(await verdict("socket", unixPeer)).toBe("ok socket");
    expect(await verdict("socket", tlsPeer("127.0.0.1"))).toBe("1045 source_host");
    expect(await verdict("tls", tlsPeer())).toBe("ok tls");
    expect(await verdict("tls", unixPeer)).toBe("ok tls");
    expect(await verdict("tls", tcpPeer())).toBe("1045 insecure_transport");
    expect(await verdict("none", tlsPeer())).toBe("1045 no_credential");
    expect(await verdict("two", tlsPeer("10.1.2.3"))).toBe("ok inside");
    expect(await verdict("two", tlsPeer("11.1.2.3"))).toBe("ok outside");
    expect(await verdict("time", tlsPeer())).toBe("ok time");
    bench.nowMs -= 1;
    expect(await verdict("time", tlsPeer())).toBe("1045 not_yet_valid");
    bench.nowMs += 24 * 3600 * 1000 + 2;
    expect(await verdict("time", tlsPeer())).toBe("1045 no_longer_valid");
  });

  it("the same for known and unknown users: packets, texts, and the work behind them", async () => {
    bench = await benchOf(
      {
        clear: [{ Password: "p" }],
        native: [{ MysqlNativePassword: nativeHash("p") }],
        sha2: [{ CachingSha2Password: sha2Hash("p") }],
        crypt: [{ CachingSha2Password: dollarA("p") }],
        slow: [{ CachingSha2Password: dollarA("p", "00A") }, { CachingSha2Password: dollarA("q") }],
        locked: [{ Password: "p", AccountLocked: true }],
        host: [{ Password: "p", SourceHost: "203.0.113.9" }],
        none: [{}],
        many: Array.from({ length: 7 }, (_, index) => ({ Password: `p${index}` })),
      },
      {},
      // Nothing is proven here, so the hashes need not be right.
      (crypto) => ({ ...crypto, crypt: async (_, jobs) => jobs.map(() => "x".repeat(43)) }),
    );
    const users = [
      "clear",
      "native",
      "sha2",
      "crypt",
      "slow",
      "locked",
      "host",
      "none",
      "many",
      "nobody",
      "",
    ];
    for (const { plugin, transport, peer } of ways) {
      const seen = new Set<string>();
      for (const user of users) {
        for (const key of Object.keys(bench.counts)) bench.counts[key as keyof typeof bench.counts] = 0;
        const login = await logIn(bench, { user, password: "wrong", plugin, peer });
        expect(login.outcome?.kind).toBe("refused");
        const work = bench.counts;
        seen.add(JSON.stringify([login.trace, text(login).replace(`'${user}'@`, "''@"), work]));
      }
      expect([...seen], `${plugin} over ${transport}`).toHaveLength(1);
      expect([...seen][0]).toContain('"lookUps":1');
    }
  });
});

it("the first entry in file order wins where two have the same password, whatever is known already", async () => {
  const [first, second] = [dollarA("c", "005"), dollarA("c", "006")];
  const entries = [
    { CachingSha2Password: first, UserData: "first" },
    { CachingSha2Password: second, UserData: "second" },
  ];
  bench = await benchOf({ u: entries.slice(1), v: [{ Password: "x" }] });
  const client = { user: "u", password: "c", plugin: "mysql_clear_password" };
  expect(verdictOf(await logIn(bench, client))).toBe("ok second");
  bench.reload({ u: entries });
  expect(verdictOf(await logIn(bench, client))).toBe("ok first");
});

describe("a reload", () => {
  it("touches new logins only: a login is judged by one file", async () => {
    bench = await benchOf({ u: [{ CachingSha2Password: sha2Hash("old"), UserData: "before" }] });
    const request = (await logIn(bench, { user: "u", password: "old" })).request;
    const conversation = bench.authenticator.authenticate({ ...request, authResponse: Buffer.alloc(32, 1) });
    expect((await conversation.next(new Uint8Array(0))).done).toBe(false);
    bench.reload({ u: [{ CachingSha2Password: sha2Hash("new"), UserData: "after" }] });
    const outcome = (await conversation.next(Buffer.from("old\0"))).value;
    expect(outcome).toMatchObject({
      kind: "accepted",
      user: { directory: { generation: 1 }, entry: { userData: "before" } },
    });
    expect(verdictOf(await logIn(bench, { user: "u", password: "old" }))).toBe("1045 wrong_password");
    expect(verdictOf(await logIn(bench, { user: "u", password: "new" }))).toBe("ok after");
  });

  it("forgets proven digests of strings that vanished, and of no others", async () => {
    const [c, d] = [dollarA("c"), dollarA("d")];
    bench = await benchOf({ c: [{ CachingSha2Password: c }], d: [{ CachingSha2Password: d }] });
    for (const user of ["c", "d"]) await logIn(bench, { user, password: user });
    bench.reload({ d: [{ CachingSha2Password: d, Groups: ["g"] }] });
    expect((await logIn(bench, { user: "d", password: "d" })).trace).toEqual(["more 03"]);
    bench.reload({ c: [{ CachingSha2Password: c }], d: [{ CachingSha2Password: d }] });
    expect((await logIn(bench, { user: "c", password: "c" })).trace).toEqual(["more 04"]);
  });
});

it("newScramble() gives 20 bytes of seven bits, without NUL and dollar, never the same", async () => {
  bench = await benchOf({ u: [{ Password: "p" }] });
  const seen = new Set<string>();
  for (let round = 0; round < 500; round++) {
    const scramble = bench.authenticator.newScramble();
    expect(scramble).toHaveLength(20);
    expect(scramble.every((byte) => byte > 0 && byte < 0x80 && byte !== 0x24)).toBe(true);
    seen.add(Buffer.from(scramble).toString("hex"));
  }
  expect(seen.size).toBe(500);
});
