// Users of the login tests: every kind of entry, alone and mixed.
import { nativeHash, sha2Hash } from "./raw/passwords.ts";

/** MySQL 9.7's own strings for the password `crypt-secret`: 5,000 rounds as 8.x writes them, 10,000 as 9.7 does. */
export const cryptStrings = {
  rounds5000:
    "0x244124303035247E0D1E0C19471D5A210A6101014C62347F346A037153617241677A47584C5875792F37626B753466456E372E4D59316F4F77374A4331306C6D324862526933",
  rounds10000:
    "0x244124303041242B4067331A07017E12090D4D71366D6E2E660A7E5551542F3770634D714373447158537939612E59654A6F774756617554784A6F524D764B4D4A4732397641",
} as const;

/** One user of the matrix: the passwords that must be let in, whatever the plugin and the transport. */
export interface LoginCase {
  readonly user: string;
  readonly passwords: readonly string[];
  readonly entries: unknown;
}

/** Cases whose entries both of the digest plugins, or a switch between them, can check. */
export const digestCases: readonly LoginCase[] = [
  { user: "clear", passwords: ["clear-secret"], entries: [{ Password: "clear-secret" }] },
  {
    user: "native",
    passwords: ["native-secret"],
    entries: [{ MysqlNativePassword: nativeHash("native-secret") }],
  },
  {
    user: "native_no_star",
    passwords: ["native-secret"],
    entries: [{ MysqlNativePassword: nativeHash("native-secret").slice(1) }],
  },
  { user: "sha2", passwords: ["sha2-secret"], entries: [{ CachingSha2Password: sha2Hash("sha2-secret") }] },
  {
    user: "both",
    passwords: ["both-secret"],
    entries: [
      { MysqlNativePassword: nativeHash("both-secret"), CachingSha2Password: sha2Hash("both-secret") },
    ],
  },
  {
    user: "rotating",
    passwords: ["old-secret", "new-secret"],
    entries: [
      { Password: "old-secret", UserData: "rotating_old" },
      { Password: "new-secret", UserData: "rotating_new" },
    ],
  },
  {
    user: "mixed",
    passwords: ["mixed-native", "mixed-sha2", "mixed-clear"],
    entries: [
      { MysqlNativePassword: nativeHash("mixed-native"), UserData: "by_native" },
      { CachingSha2Password: sha2Hash("mixed-sha2"), UserData: "by_sha2" },
      { Password: "mixed-clear", UserData: "by_clear" },
    ],
  },
  // Vitess's cases (reference: its auth_server_static_test.go): a hash, and beside it a clear password that disagrees
  {
    user: "user03",
    passwords: ["user03"],
    entries: [{ MysqlNativePassword: nativeHash("user03"), Password: "invalid" }],
  },
  {
    user: "user04",
    passwords: ["password1", "password2"],
    entries: [{ MysqlNativePassword: nativeHash("password1") }, { Password: "password2" }],
  },
  {
    user: "legacy",
    passwords: ["legacy-secret"],
    entries: { Password: "legacy-secret", UserData: "old_form" },
  },
  { user: "ünï", passwords: ["pässwörd-€"], entries: [{ Password: "pässwörd-€" }] },
  { user: "long", passwords: ["x".repeat(200)], entries: [{ Password: "x".repeat(200) }] },
];

/** Cases that need the password in clear once: MySQL's own strings. */
export const cryptCases: readonly LoginCase[] = [
  {
    user: "crypt5",
    passwords: ["crypt-secret"],
    entries: [{ CachingSha2Password: cryptStrings.rounds5000 }],
  },
  {
    user: "crypt10",
    passwords: ["crypt-secret"],
    entries: [{ CachingSha2Password: cryptStrings.rounds10000 }],
  },
  {
    user: "crypt_and_clear",
    passwords: ["crypt-secret", "clear-secret"],
    entries: [{ CachingSha2Password: cryptStrings.rounds5000 }, { Password: "clear-secret" }],
  },
  { user: "sha2", passwords: ["sha2-secret"], entries: [{ CachingSha2Password: sha2Hash("sha2-secret") }] },
];

/** A users file of cases. */
export function usersOf(cases: readonly LoginCase[]): Record<string, unknown> {
  return Object.fromEntries(cases.map(({ user, entries }) => [user, entries]));
}
