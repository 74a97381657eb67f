// Logins as a whole: any users file, any client, any transport. An oracle knows from the file alone who must get in.
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { createLoginCrypto } from "../../src/auth/login-crypto.ts";
import { nativeHash, sha2Hash } from "../support/raw/passwords.ts";
import { dollarA } from "../unit/auth/dollar-a.ts";
import { type Bench, benchOf, logIn } from "../unit/auth/support.ts";
import { tcpPeer, tlsPeer, unixPeer } from "../unit/users/support.ts";

const transports = { tcp: tcpPeer(), tls: tlsPeer(), unix: unixPeer } as const;
type Transport = keyof typeof transports;

/** One thread for passwords serves all judges of this file. */
const sharedCrypto = createLoginCrypto();
afterAll(() => sharedCrypto.close());
const judgeOf = (file: object, options = {}): Promise<Bench> => benchOf(file, options, () => sharedCrypto);

const forms = {
  clear: (password: string) => ({ Password: password }),
  native: (password: string) => ({ MysqlNativePassword: nativeHash(password) }),
  sha2: (password: string) => ({ CachingSha2Password: sha2Hash(password) }),
  both: (password: string) => ({
    MysqlNativePassword: nativeHash(password),
    CachingSha2Password: sha2Hash(password),
  }),
  crypt: (password: string) => ({ CachingSha2Password: dollarA(password, "001") }),
  cryptAndNative: (password: string) => ({
    MysqlNativePassword: nativeHash(password),
    CachingSha2Password: dollarA(password, "001"),
  }),
  nothing: () => ({}),
} as const;

interface EntryPlan {
  readonly form: keyof typeof forms;
  readonly keys: object;
  /** Transports that the entry admits. */
  readonly admits: readonly Transport[];
  readonly locked?: boolean;
}

const everywhere: readonly Transport[] = ["tcp", "tls", "unix"];
const conditions: readonly Omit<EntryPlan, "form">[] = [
  { keys: {}, admits: everywhere },
  { keys: {}, admits: everywhere },
  { keys: {}, admits: everywhere },
  { keys: { SourceHost: "localhost" }, admits: ["unix"] },
  { keys: { SourceHost: "192.0.2.0/24" }, admits: ["tcp", "tls"] },
  { keys: { SourceHost: "10.0.0.1" }, admits: [] },
  { keys: { RequireSecureTransport: true }, admits: ["tls", "unix"] },
  { keys: { NotAfter: "2025-12-31T23:59:59Z" }, admits: [] },
  { keys: { NotBefore: "2026-01-01T00:00:01Z" }, admits: [] },
  { keys: { AccountLocked: true }, admits: everywhere, locked: true },
];

const entryPlan: fc.Arbitrary<EntryPlan> = fc
  .tuple(fc.constantFrom(...(Object.keys(forms) as (keyof typeof forms)[])), fc.constantFrom(...conditions))
  .map(([form, condition]) => ({ form, ...condition }));
const filePlan = fc.array(fc.array(entryPlan, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 3,
});
const plugins = [
  "caching_sha2_password",
  "mysql_native_password",
  "sha256_password",
  "mysql_clear_password",
  "client_ed25519",
];
const admitted = { keys: {}, admits: everywhere };
/** Every form beside every other, so that all that a choice can depend on occurs. */
const everyForm: EntryPlan[][] = [
  [
    { form: "native", ...admitted },
    { form: "crypt", ...admitted },
    { form: "sha2", ...admitted },
  ],
  [
    { form: "clear", ...admitted },
    { form: "cryptAndNative", ...admitted },
    { form: "both", ...admitted },
  ],
];
const clients = plugins.flatMap((plugin) =>
  everywhere.flatMap((transport) =>
    (["connect", "change_user"] as const).map((origin) => ({ plugin, transport, origin })),
  ),
);
const clientPlan = fc.constantFrom(...clients);

const passwordOf = (user: number, entry: number): string => `secret ${user} ${entry}`;

function fileOf(plan: readonly (readonly EntryPlan[])[]): object {
  return Object.fromEntries(
    plan.map((entries, user) => [
      `u${user}`,
      entries.map(({ form, keys }, index) => ({
        ...forms[form](passwordOf(user, index)),
        ...keys,
        UserData: `u${user} ${index}`,
      })),
    ]),
  );
}

/** Clear text over plain TCP is refused whoever asks. */
const isHeard = (client: { plugin: string; transport: string; origin: string }): boolean =>
  client.plugin !== "mysql_clear_password" || client.transport !== "tcp" || client.origin === "change_user";

async function tryEntry(
  bench: Bench,
  client: (typeof clients)[number],
  user: number,
  index: number,
  { form, admits, locked }: EntryPlan,
): Promise<void> {
  const peer = transports[client.transport];
  const password = passwordOf(user, index);
  const { outcome, trace } = await logIn(bench, { ...client, peer, user: `u${user}`, password });
  const about = `u${user} ${index} ${form}, ${JSON.stringify(client)}: ${trace.join(", ")}`;
  if (outcome === null) throw new Error(`${about}: hung up`);
  const isRight = form !== "nothing" && admits.includes(client.transport) && isHeard(client);
  if (isRight && locked !== true) {
    if (outcome.kind !== "accepted") throw new Error(`${about}: refused, ${outcome.reason}`);
    expect(outcome.user.entry.userData, about).toBe(`u${user} ${index}`);
  } else {
    if (outcome.kind !== "refused") throw new Error(`${about}: accepted`);
    expect(outcome.error.code, about).toBe(isRight ? 3118 : 1045);
  }
}

/** Logs in to every entry with its password. */
async function proveAll(bench: Bench, plan: readonly (readonly EntryPlan[])[]): Promise<void> {
  for (const [user, entries] of plan.entries()) {
    for (const index of entries.keys()) {
      const password = passwordOf(user, index);
      await logIn(bench, { user: `u${user}`, password, plugin: "mysql_clear_password", peer: unixPeer });
    }
  }
}

describe("any users file, any client", () => {
  it("lets in whoever has the password of an entry that admits the client, by that entry, and nobody else", async () => {
    await fc.assert(
      fc.asyncProperty(filePlan, async (plan) => {
        for (const client of clients) {
          // A judge for each: what one login proved, another need not prove.
          const bench = await judgeOf(fileOf(plan));
          for (const [user, entries] of plan.entries()) {
            for (const [index, entry] of entries.entries()) await tryEntry(bench, client, user, index, entry);
          }
        }
      }),
      { numRuns: 8, examples: [[everyForm]] },
    );
  });

  it("treats every user alike until the password is right: the same words, the same work", async () => {
    await fc.assert(
      fc.asyncProperty(
        filePlan,
        clientPlan,
        fc.constantFrom("wrong", "x".repeat(200), ""),
        fc.boolean(),
        async (plan, client, password, warm) => {
          const bench = await judgeOf(fileOf(plan));
          const peer = transports[client.transport];
          // What was proven before (digests are kept) must not show either.
          if (warm) await proveAll(bench, plan);
          const records = new Set<string>();
          for (const user of [...plan.keys()].map((number) => `u${number}`).concat("nobody", "", "$schema")) {
            const before = { ...bench.counts };
            const { outcome, trace } = await logIn(bench, { ...client, peer, user, password });
            if (outcome?.kind !== "refused") throw new Error(`${user} was not refused`);
            const work = Object.entries(bench.counts).map(
              ([name, count]) => count - before[name as keyof typeof before],
            );
            const text = outcome.error.message.replace(`'${user}'@`, "USER@");
            records.add(JSON.stringify({ trace, code: outcome.error.code, text, work }));
          }
          expect([...records]).toHaveLength(1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("ends after any answers whatever, in a few steps, without an exception", async () => {
    const answer = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(0, 1, 2, 3).map((byte) => Uint8Array.of(byte)),
      fc.constantFrom(20, 32, 255, 256, 257, 5000).map((length) => new Uint8Array(length).fill(0x41)),
      fc.string().map((text) => new Uint8Array(Buffer.from(`${text}\0`))),
    );
    await fc.assert(
      fc.asyncProperty(
        filePlan,
        clientPlan,
        fc.array(answer, { minLength: 8, maxLength: 8 }),
        fc.oneof(fc.constantFrom(...plugins, "", "constructor", "__proto__", null), fc.string()),
        async (plan, client, answers, clientPlugin) => {
          const { authenticator } = await judgeOf(fileOf(plan), { allowClearTextWithoutTls: true });
          const exchange = authenticator.authenticate({
            ...{
              origin: client.origin,
              user: "u0",
              authResponse: answers[0] ?? new Uint8Array(0),
              clientPlugin,
            },
            ...{
              scramble: authenticator.newScramble(),
              database: null,
              collation: 45,
              capabilities: 0x88000,
            },
            ...{ attributes: new Map(), peer: transports[client.transport] },
          });
          let step = await exchange.next(new Uint8Array(0));
          let steps = 0;
          while (step.done !== true) {
            steps++;
            expect(steps).toBeLessThanOrEqual(4);
            if (step.value.kind === "switch") expect(steps).toBe(1);
            step = await exchange.next(answers[steps] ?? new Uint8Array(0));
          }
          expect(step.value.kind).toBe("refused");
        },
      ),
      { numRuns: 150 },
    );
  });
});
