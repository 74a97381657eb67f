// Makes the judge of logins that the options ask for, with its RSA key: from a watched PEM file, or made at start.

import { type Authenticator, createAuthenticator } from "../auth/authenticator.ts";
import { createClientCertAuthenticator } from "../auth/clientcert-authenticator.ts";
import { createLoginCrypto } from "../auth/login-crypto.ts";
import { createNoneAuthenticator } from "../auth/none-authenticator.ts";
import { generateRsaKeyPem, importRsaKey, type RsaKey } from "../auth/rsa-key.ts";
import { wholeFileProblem } from "../base/problem.ts";
import { randomPortion } from "../base/random-pool.ts";
import { Reloadable } from "../base/reloadable.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { type GatewayTools, StartError } from "./gateway-seam.ts";
import { nothingNamed, ReloadReport, type ReportTools } from "./reload-report.ts";
import type { Users } from "./users-source.ts";

/** A judge and what it holds open. */
export interface OpenedJudge {
  readonly authenticator: Authenticator;
  reload(trigger: string): Promise<void>;
  close(): void;
}

/** PEM files are small; larger ones are refused, in bytes. */
const PEM_BYTES_MAX = 1024 * 1024;

/** @throws FileProblemsError for a key file that cannot be used. */
export async function openLoginJudge(
  options: Pick<GatewayOptions, "auth" | "clientTls">,
  users: Users | null,
  tools: GatewayTools & ReportTools,
): Promise<OpenedJudge> {
  const { auth } = options;
  const requireClientCertificate = options.clientTls?.clientTrust?.isRequired ?? false;
  if (auth.kind !== "static") {
    const authenticator =
      auth.kind === "none"
        ? createNoneAuthenticator({
            randomBytes: randomPortion,
            clock: tools.clock,
            requireClientCertificate,
          })
        : createClientCertAuthenticator({
            randomBytes: randomPortion,
            clock: tools.clock,
            method: auth.method,
          });
    return { authenticator, reload: async () => {}, close: () => authenticator.close() };
  }
  const key = await openRsaKey(auth.rsaPrivateKeyFile, tools);
  const authenticator = createAuthenticator({
    directory: () => users?.current() ?? null,
    clock: tools.clock,
    randomBytes: randomPortion,
    options: {
      allowClearTextWithoutTls: auth.allowClearTextWithoutTls,
      requireClientCertificate,
      proxyUsers: auth.proxyUsers,
    },
    rsaKey: key.current,
    crypto: createLoginCrypto(),
  });
  return {
    authenticator,
    reload: key.reload,
    close: () => {
      key.close();
      authenticator.close();
    },
  };
}

interface OpenedKey {
  readonly current: () => RsaKey;
  readonly reload: (trigger: string) => Promise<void>;
  readonly close: () => void;
}

async function openRsaKey(path: string | null, tools: GatewayTools & ReportTools): Promise<OpenedKey> {
  if (path === null) {
    const made = await importRsaKey(tools.seat?.rsaKeyPem ?? (await generateRsaKeyPem()));
    if (typeof made === "string") throw new StartError(`Cannot make an RSA key: ${made}`);
    return { current: () => made, reload: async () => {}, close: () => {} };
  }
  const report = new ReloadReport({ name: "RSA key", path }, tools);
  const reloadable = await Reloadable.start<RsaKey>({
    name: "RSA key",
    paths: [path],
    bytesMax: PEM_BYTES_MAX,
    clock: tools.clock,
    load: async ([content]) => {
      const key = await importRsaKey(content?.bytes ?? "");
      return typeof key === "string"
        ? { ok: false, problems: [wholeFileProblem(path, key)] }
        : { ok: true, value: key };
    },
    onEvent: (event) => report.handle(event, nothingNamed),
  });
  return {
    current: () => reloadable.current(),
    reload: async (trigger) => void (await reloadable.reload(trigger)),
    close: () => reloadable.close(),
  };
}
