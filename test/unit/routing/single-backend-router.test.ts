import { describe, expect, it } from "vitest";
import type { BackendAccount, Tablet } from "../../../src/routing/route.ts";
import { SingleBackendRouter } from "../../../src/routing/single-backend-router.ts";

const tablet: Tablet = {
  alias: "backend",
  address: { kind: "tcp", host: "db", port: 3306 },
  tls: { mode: "DISABLED", ca: null, cert: null, key: null },
};

describe("SingleBackendRouter", () => {
  it("sends everybody to the one server, into the schema of the session or the default one", () => {
    const account: BackendAccount = { name: "default", user: "svc", password: () => "", generation: 1 };
    const router = new SingleBackendRouter({ tablet, account: () => account, database: "shop" });
    expect(router.route(null, { database: null })).toMatchObject({ tablet, account, database: "shop" });
    expect(router.route(null, { database: "crm" }).database).toBe("crm");
    const without = new SingleBackendRouter({ tablet, account: () => account, database: null });
    expect(without.route(null, { database: null }).database).toBe(null);
  });

  it("uses the account as it is at that moment", () => {
    let generation = 1;
    const account = (): BackendAccount => ({ name: "default", user: "svc", password: () => "", generation });
    const router = new SingleBackendRouter({ tablet, account, database: null });
    generation = 2;
    expect(router.route(null, { database: null }).account.generation).toBe(2);
  });
});
