import { describe, expect, it } from "vitest";
import type { LearnedServer } from "../../../src/backend/health.ts";
import { agreeOn } from "../../../src/backend/server-agreement.ts";
import { CLIENT_DEPRECATE_EOF, CLIENT_SESSION_TRACK } from "../../../src/wire/capabilities.ts";

const both = CLIENT_DEPRECATE_EOF | CLIENT_SESSION_TRACK;

function known(key: string, parts: Partial<LearnedServer> = {}) {
  const server = {
    versionText: "10.11.6-MariaDB",
    flavour: "mariadb",
    versionNumber: 101106,
    capabilities: both,
    collation: 45,
    lowerCaseTableNames: 0,
    ...parts,
  } as LearnedServer;
  return { key, server };
}

describe("agreeOn()", () => {
  it("knows nothing of no servers", () => {
    expect(agreeOn([], null)).toEqual({ server: null, newestVersionNumber: 0, unsuitable: new Map() });
  });

  it("announces the oldest version and what all servers can do", () => {
    const old = { versionText: "10.6.1-MariaDB", versionNumber: 100601, capabilities: CLIENT_DEPRECATE_EOF };
    const { server, unsuitable, newestVersionNumber } = agreeOn(
      [known("a"), known("b", old), known("c")],
      null,
    );
    expect(newestVersionNumber).toBe(101106);
    expect(server).toMatchObject({ versionText: "10.6.1-MariaDB", capabilities: CLIENT_DEPRECATE_EOF });
    expect(unsuitable.size).toBe(0);
  });

  it("leaves out who is of another family or compares names otherwise than the first", () => {
    const mysql = known("b", {
      flavour: "mysql",
      versionNumber: 80400,
      versionText: "8.4.0",
      capabilities: 0,
    });
    const folding = known("c", { lowerCaseTableNames: 1, versionNumber: 100500 });
    const { server, unsuitable } = agreeOn([known("a"), mysql, folding], null);
    expect(server).toMatchObject({ versionNumber: 101106, capabilities: both });
    expect([...unsuitable.keys()]).toEqual(["b", "c"]);
    expect(unsuitable.get("b")).toContain("MySQL, they are MariaDB");
  });

  it("leaves out who lacks what clients were told of", () => {
    const poor = known("b", { capabilities: CLIENT_DEPRECATE_EOF });
    expect([...agreeOn([known("a"), poor], null).unsuitable]).toEqual([]);
    const { server, unsuitable } = agreeOn([known("a"), poor], both);
    expect([...unsuitable.keys()]).toEqual(["b"]);
    expect(server?.capabilities).toBe(both);
    // What was never announced is not announced later either.
    expect(agreeOn([known("a")], CLIENT_DEPRECATE_EOF).server?.capabilities).toBe(CLIENT_DEPRECATE_EOF);
  });
});
