// Whether a service account may write to a server that is read-only: then a former primary would still take what its
// clients send, and nobody would know. Grants come in as SHOW GRANTS tells them.
// https://mariadb.com/kb/en/grant/#read_only-admin
// https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_read_only

import type { BackendAccount, Tablet } from "../routing/route.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ServerFacts } from "./backend-connection.ts";

/** From here on MariaDB's SUPER does not hold READ_ONLY ADMIN any more. */
const mariadbSplitSuper = 101_100;

/** The privilege of these lines that gets past read_only; null: none does. Roles are not looked into. */
export function passesReadOnly(
  lines: readonly string[],
  { flavour, versionNumber }: Pick<ServerFacts, "flavour" | "versionNumber">,
): string | null {
  const superPasses = flavour === "mysql" || versionNumber < mariadbSplitSuper;
  const passing =
    flavour === "mysql"
      ? ["ALL PRIVILEGES", "SUPER", "CONNECTION_ADMIN"]
      : ["ALL PRIVILEGES", "READ_ONLY ADMIN", ...(superPasses ? ["SUPER"] : [])];
  for (const line of lines) {
    const privileges = /^GRANT (.+?) ON \*\.\* TO /i.exec(line)?.[1]?.toUpperCase().split(/,\s*/) ?? [];
    const found = passing.find((one) => privileges.includes(one));
    if (found !== undefined) return found;
  }
  return null;
}

/** Remembers what was found, for the status page, and warns of it once per credential. */
export class AccountRights {
  readonly #logger: Logger;
  readonly #follows: (tablet: Tablet) => boolean;
  readonly #notes = new Map<string, string>();

  /** `follows`: whether the role of a server is followed, so that it matters. */
  constructor(logger: Logger, follows: (tablet: Tablet) => boolean) {
    this.#logger = logger;
    this.#follows = follows;
  }

  /** Whether to ask for an account's grants there. */
  wanted(tablet: Tablet): boolean {
    return this.#follows(tablet);
  }

  /** Takes the grants of an account. */
  told(tablet: Tablet, account: BackendAccount, server: ServerFacts, lines: readonly string[]): void {
    const key = `${tablet.alias} ${account.name}`;
    const privilege = passesReadOnly(lines, server);
    if (privilege === null) {
      this.#notes.delete(key);
      return;
    }
    this.#notes.set(
      key,
      `Account '${account.name}' may write to tablet '${tablet.alias}' even while that is read-only (${privilege}): revoke it, or a former primary still takes writes`,
    );
    this.#logger.warn("A service account may write to a read-only server: revoke that privilege", {
      account: account.name,
      tablet: tablet.alias,
      privilege,
    });
  }

  /** One sentence each; accounts and servers that are used no more included until the restart. */
  notes(): readonly string[] {
    return [...this.#notes.values()];
  }
}
