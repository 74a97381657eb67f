import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { check } from "../../../src/cli/check.ts";
import { explain } from "../../../src/cli/explain.ts";
import { runCommand } from "../../../src/cli/run.ts";

let directory = "";
const tablet = (alias: string, type: string) => ({ alias, type, address: `${alias}.example:3306` });
const good = {
  keyspaces: {
    shop: { tablets: [tablet("db1", "primary"), tablet("db2", "replica")] },
    far: { database: "elsewhere", tablets: [tablet("db3", "primary")] },
  },
  accounts: {
    default: { user: "svc", password_file: "secret" },
    by_user_data: { "bi_%": { user: "bi", password_env: "BI_PASSWORD" } },
  },
  routing_rules: [
    { user_data: ["bi_%"], target: "shop@replica" },
    { user_data: ["reader"], target: "shop", reads: "shop@replica" },
  ],
  default_target: "shop",
};

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "gatehouse-topology-"));
  writeFileSync(
    join(directory, "users.json"),
    JSON.stringify({ app: [{ Password: "x" }], bi_a: [{ Password: "x" }], reader: [{ Password: "x" }] }),
    {
      mode: 0o600,
    },
  );
  writeFileSync(join(directory, "secret"), "the-password\n", { mode: 0o600 });
  writeFileSync(join(directory, "topology.json"), JSON.stringify(good));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(
  argv: readonly string[],
  environment: Record<string, string> = { BI_PASSWORD: "secret-of-bi" },
) {
  const out: string[] = [];
  const err: string[] = [];
  const context = {
    argv: [argv[0] ?? "", `--mysql_auth_server_static_file=${directory}/users.json`, ...argv.slice(1)],
    environment,
    homeDirectory: directory,
    clock: systemClock,
    width: 80,
    print: (text: string) => void out.push(text),
    complain: (text: string) => void err.push(text.replaceAll(directory, "DIR")),
  };
  const code = await runCommand(context, { serve: async () => 0, check, explain });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

const flag = () => `--topology_file=${directory}/topology.json`;

describe("gatehouse check --topology_file", () => {
  it("says what is fine", async () => {
    const { code, out, err } = await run(["check", flag()]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("topology.json: 2 keyspaces on 3 servers, 2 routing rules");
  });

  it("asks for what the file names: passwords and certificates", async () => {
    const tls = { ca: "absent.pem" };
    const content = {
      ...good,
      keyspaces: { shop: { tablets: [{ ...tablet("db1", "primary"), tls }] } },
      accounts: {
        default: { user: "svc", password_file: "absent" },
        monitor: { user: "m", password_env: "UNSET" },
      },
      routing_rules: [],
    };
    writeFileSync(join(directory, "needy.json"), JSON.stringify(content));
    const { code, err } = await run(["check", `--topology_file=${directory}/needy.json`]);
    expect(code).toBe(1);
    expect(err).toContain(
      'Environment variable UNSET must hold the password of account "monitor": it is not set here',
    );
    expect(err).toMatch(/DIR\/absent: .*exist/);
    expect(err).toMatch(/DIR\/absent\.pem: .*exist/);
  });

  it("tells every problem with its place", async () => {
    writeFileSync(join(directory, "bad.json"), '{\n"keyspaces": {},\n"acounts": {} }');
    const { code, err } = await run(["check", `--topology_file=${directory}/bad.json`]);
    expect(code).toBe(1);
    expect(err.split("\n")).toEqual([
      expect.stringMatching(/^DIR\/bad\.json:1:1: Missing key 'accounts'/),
      expect.stringMatching(/^DIR\/bad\.json:2:14: 'keyspaces' must not be empty/),
      expect.stringMatching(/^DIR\/bad\.json:3:1: Unknown key 'acounts'.*'accounts'/),
    ]);
  });

  it("refuses to be given a backend beside it", async () => {
    for (const other of [
      "--backend=mysql://u@h",
      "--backend=embedded",
      "--embedded_datadir=/x",
      "--backend_password_file=/x",
    ]) {
      const { code, err } = await run(["check", flag(), other]);
      expect([code, err]).toEqual([
        expect.any(Number),
        expect.stringContaining("has no effect with --topology_file"),
      ]);
      expect(code).not.toBe(0);
    }
    const { err } = await run(["check", flag()], { GATEHOUSE_BACKEND: "mysql://u@h" });
    expect(err).toContain("has no effect with --topology_file");
  });
});

describe("gatehouse explain --topology_file", () => {
  const route = async (user: string, query: string, ...more: string[]) => {
    const { code, out, err } = await run(["explain", flag(), `--user=${user}`, `--query=${query}`, ...more]);
    return [code, err, /^Route +(.*)$/m.exec(out)?.[1]];
  };

  it("tells where a statement goes", async () => {
    const primary = "db1 (db1.example:3306), primary of keyspace shop, account default";
    const replica = "db2 (db2.example:3306), replica of keyspace shop, account";
    expect(await route("app", "select * from t")).toEqual([0, "", primary]);
    expect(await route("bi_a", "select * from t")).toEqual([0, "", `${replica} bi_%`]);
    expect(await route("reader", "select * from t")).toEqual([0, "", `${replica} default`]);
    expect(await route("reader", "delete from t where a = 1")).toEqual([0, "", primary]);
    expect(await route("app", "select * from t", "--database=shop@replica")).toEqual([
      0,
      "",
      `${replica} default`,
    ]);
    expect(await route("app", "use far")).toEqual([0, "", "the session is in far then"]);
  });

  it("tells the error that the client would get", async () => {
    expect(await route("bi_a", "delete from t")).toEqual([
      1,
      "",
      expect.stringMatching(/^ERROR 1290 \(HY000\)/),
    ]);
    expect(await route("app", "select * from far.t")).toEqual([
      1,
      "",
      expect.stringMatching(/^ERROR 1235 \(42000\)/),
    ]);
    expect(await route("app", "use nosuch")).toEqual([
      1,
      "",
      "ERROR 1049 (42000): Unknown database 'nosuch'",
    ]);
    const [code, err] = await route("bi_a", "select 1", "--database=shop@primary");
    expect([code, err]).toEqual([expect.any(Number), expect.stringContaining("ERROR 1044")]);
    expect(code).not.toBe(0);
  });
});
