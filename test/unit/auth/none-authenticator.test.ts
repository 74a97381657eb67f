import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createNoneAuthenticator } from "../../../src/auth/none-authenticator.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { tcpPeer, tlsPeer, unixPeer } from "../users/support.ts";
import { type Bench, logIn } from "./support.ts";

const bench = {
  authenticator: createNoneAuthenticator({
    randomBytes,
    clock: systemClock,
    requireClientCertificate: false,
  }),
} as Bench;
const plugins = [
  "caching_sha2_password",
  "mysql_native_password",
  "sha256_password",
  "mysql_clear_password",
  "dialog",
  "client_ed25519",
  null,
];

it.each(
  plugins.flatMap((plugin) =>
    ["connect" as const, "change_user" as const].map((origin) => ({ plugin, origin })),
  ),
)("none lets in every name with any password: $plugin, $origin", async ({ plugin, origin }) => {
  for (const peer of [tcpPeer(), tlsPeer(), unixPeer]) {
    for (const password of ["", "any"]) {
      const login = await logIn(bench, { user: "someone", password, plugin, origin, peer });
      const { outcome } = login;
      if (outcome?.kind !== "accepted") throw new Error("refused");
      expect(login.trace).not.toContain("more 04");
      if (origin === "change_user" && plugin !== null) expect(login.trace[0]).toMatch(/^switch /);
      const identified = bench.authenticator.identify(outcome.user, login.request);
      expect(identified).toMatchObject({
        base: null,
        identity: {
          loginUser: "someone",
          authUser: "someone",
          authHost: "%",
          callerId: { username: "someone", groups: [] },
          plugin: "none",
          spiffeId: null,
          proxyUser: null,
        },
      });
    }
  }
});
