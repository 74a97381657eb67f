import { describe, expect, it } from "vitest";
import { adminRoutes } from "../../../src/admin/admin-routes.ts";
import type { UsersPart } from "../../../src/admin/admin-sources.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { noAssets, quietSources } from "../../support/admin-sources.ts";

describe("/api/users", () => {
  async function partOf(query: string): Promise<UsersPart | null> {
    let asked: UsersPart | null = null;
    const sources = quietSources({
      userActivity: async (part) => {
        asked = part;
        return null;
      },
    });
    const context = {
      sources,
      metrics: createMetrics({ processMetrics: false }),
      version: "1",
      assets: noAssets,
    };
    const request = { id: 0, query: new URLSearchParams(query), from: "" };
    const reply = await adminRoutes["/api/users"]?.answer(context, request);
    expect(reply?.status).toBe(404);
    return asked;
  }

  it("never tells of more entries than an answer may have", async () => {
    const all = { users: null, holding: "", from: 0, limit: 1000, proof: null };
    expect(await partOf("")).toEqual(all);
    for (const limit of ["9999999", "1e300", "Infinity"])
      expect(await partOf(`limit=${limit}`)).toEqual({ ...all, limit: 5000 });
    for (const limit of ["0", "-5", "NaN", "x"]) expect(await partOf(`limit=${limit}`)).toEqual(all);
    expect(await partOf("limit=7&from=14&holding=Sh&user=a%20b&key=00&digest=11")).toEqual({
      users: ["a b"],
      holding: "Sh",
      from: 14,
      limit: 7,
      proof: { key: "00", digest: "11" },
    });
    expect(await partOf("from=-3&key=00")).toEqual(all);
  });
});
