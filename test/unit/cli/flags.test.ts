import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { splitArguments, UsageError } from "../../../src/cli/arguments.ts";
import { parseBackendUrl } from "../../../src/cli/backend-url.ts";
import type { FlagDefinition } from "../../../src/cli/flag-table.ts";
import { parseFlagValue } from "../../../src/cli/flag-values.ts";
import { serveFlags } from "../../../src/cli/flags.ts";
import { formatHelp } from "../../../src/cli/help.ts";
import { makeServeOptions } from "../../../src/cli/options.ts";
import { gatherSettings } from "../../../src/cli/settings.ts";

const directory = mkdtempSync(join(tmpdir(), "gatehouse-flags-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function configFile(text: string): string {
  const path = join(directory, "config.json");
  writeFileSync(path, text);
  return path;
}

function settingsOf(argv: readonly string[], environment: Record<string, string> = {}) {
  return gatherSettings(serveFlags, { flags: splitArguments(argv, serveFlags).flags, environment });
}

function optionsOf(argv: readonly string[], environment: Record<string, string> = {}) {
  return makeServeOptions(settingsOf(argv, environment), { homeDirectory: "/home/u", environment });
}

const users = "--mysql_auth_server_static_file=users.json";

describe("the query log's flags", () => {
  const file = "--log_queries_to_file=q.log";
  const queryLogOf = (...argv: string[]) => optionsOf([users, ...argv]).process.queryLog;

  it("choose everything, by chance, by time, or both, as VTGate's", () => {
    const slowMs = Number.POSITIVE_INFINITY;
    expect(queryLogOf()).toBeNull();
    expect(queryLogOf(file)).toEqual({ path: "q.log", sampleRate: 1, slowMs });
    expect(queryLogOf(file, "--querylog-sample-rate=.25")).toEqual({
      path: "q.log",
      sampleRate: 0.25,
      slowMs,
    });
    const slow = ["--querylog_time_threshold=1s", "--querylog_sample_rate=0.01"];
    expect(queryLogOf(file, ...slow.slice(0, 1))).toEqual({ path: "q.log", sampleRate: 0, slowMs: 1000 });
    expect(queryLogOf(file, ...slow)).toEqual({ path: "q.log", sampleRate: 0.01, slowMs: 1000 });
  });

  it("refuse what would record nothing and what is no share", () => {
    expect(() => queryLogOf("--querylog_sample_rate=1")).toThrow(
      "Flag --querylog_sample_rate needs --log_queries_to_file",
    );
    expect(() => queryLogOf(file, "--querylog_sample_rate=0")).toThrow("Nothing would be recorded");
    expect(() => queryLogOf(file, "--querylog_sample_rate=1.5")).toThrow("must be at most 1");
    expect(() => queryLogOf(file, "--querylog_sample_rate=1e-3")).toThrow("must be a number such as 0.25");
  });
});

describe("splitArguments()", () => {
  it("reads =, space, dashes, underscores, booleans, negative numbers and words", () => {
    const result = splitArguments(
      [
        "--mysql-server-port",
        "-1",
        "--pid_file=/a-b_c=d",
        "--proxy-protocol",
        "word",
        "--local_infile=false",
      ],
      serveFlags,
    );
    expect(Object.fromEntries(result.flags)).toEqual({
      mysql_server_port: ["-1"],
      pid_file: ["/a-b_c=d"],
      proxy_protocol: ["true"],
      local_infile: ["false"],
    });
    expect(result.words).toEqual(["word"]);
  });

  it.each([
    [["--no-proxy-protocol"], "Unknown flag --no_proxy_protocol: write --proxy_protocol=false"],
    [["--mysql_server_prot=1"], "Unknown flag --mysql_server_prot: did you mean --mysql_server_port?"],
    [["--zzzzzzzz"], "Unknown flag --zzzzzzzz: --help lists all flags"],
    [["--__proto__=1"], "Unknown flag --___proto___: --help lists all flags"],
    [["-x"], "Unknown flag -x: --help lists all flags"],
    [["--port"], "Flag --port needs a value: write --port=VALUE"],
    [["--pid_file", "--port=1"], "Flag --pid_file needs a value, found the flag --port after it"],
    [["--port=1", "--port", "2"], "Flag --port is given 2 times: give it once"],
  ])("of %j says: %s", (argv, message) => {
    expect(() => splitArguments(argv, serveFlags)).toThrow(new UsageError(message));
  });

  it("joins lists given several times", () => {
    expect(
      settingsOf(["--proxy_protocol_trusted=10.0.0.0/8,::1", "--proxy-protocol-trusted", "1.2.3.4"]).values
        .proxy_protocol_trusted,
    ).toEqual(["10.0.0.0/8", "::1", "1.2.3.4"]);
  });
});

describe("the flag table", () => {
  it("has defaults that are valid, for every flag", () => {
    const table: [string, FlagDefinition][] = Object.entries(serveFlags);
    expect(table.length).toBeGreaterThan(40);
    for (const [name, definition] of table) {
      expect(definition.help, name).toMatch(/^[A-Z].*[^.]$/);
      if (definition.default === null) continue;
      expect(parseFlagValue(definition, definition.default), name).toMatchObject({ ok: true });
    }
  });

  it("makes a help that shows every flag with its default, within the width", () => {
    const help = formatHelp({ usage: "gatehouse", about: ["About."] }, serveFlags, 80);
    for (const [name, definition] of Object.entries(serveFlags)) {
      expect(help).toContain(`--${name}=`);
      if (definition.default !== null)
        expect(help).toMatch(new RegExp(`--${name}=.*default ${definition.default}`));
    }
  });
});

describe("gatherSettings()", () => {
  it("prefers the command line over the environment, over the config file, over the default", () => {
    const config = configFile(
      '{ "port": 1, "log_level": "debug", "bind_address": "c", "local_infile": false }',
    );
    const settings = settingsOf(["--port=3", `--config-file=${config}`], {
      GATEHOUSE_PORT: "2",
      GATEHOUSE_LOG_LEVEL: "WARN",
    });
    expect(settings.values).toMatchObject({
      port: 3,
      log_level: "warn",
      bind_address: "c",
      local_infile: false,
      log_format: "json",
      backend_idle_timeout: 300_000,
      max_allowed_packet: 67_108_864,
    });
    expect(settings.sourceOf("bind_address")).toBe("config file");
    expect(settings.isSet("log_format")).toBe(false);
  });

  it("reports every mistake with its place", () => {
    const config = configFile('{\n  "max_allowed_packet": "64Mib!",\n  "backend_pool_size": 0\n}');
    expect(() =>
      settingsOf([`--config_file=${config}`, "--port=x", "--log_level=debgu", "--pid_file="], {
        GATEHOUSE_ONTERM_TIMEOUT: "10",
      }),
    ).toThrow(
      new UsageError(
        [
          `${config}:3:24: Key 'backend_pool_size' must be at least 1`,
          `${config}:2:25: Key 'max_allowed_packet' must be a size such as 4096, 512KiB or 64MiB`,
          "Environment variable GATEHOUSE_ONTERM_TIMEOUT must be a duration such as 500ms, 10s or 1h30m",
          "Flag --port must be a whole number",
          "Flag --log_level must be one of debug, info, warn, error, silent (did you mean debug?)",
          "Flag --pid_file must not be empty",
        ].join("\n"),
      ),
    );
  });

  it("suggests the nearest key of the config file, and tells a file that is not there", () => {
    const config = configFile('{ "mysql_server_prot": 3306, "config_file": "x" }');
    expect(() => settingsOf([`--config_file=${config}`])).toThrow(
      `${config}:1:3: Unknown key 'mysql_server_prot' in the file: did you mean 'mysql_server_port'?`,
    );
    expect(() => settingsOf(["--config_file=/nonexistent.json"])).toThrow(
      "Cannot read the config file /nonexistent.json: it does not exist",
    );
  });

  it("ignores the variables that Kubernetes makes for a Service named gatehouse, and warns of near misses", () => {
    const settings = settingsOf([], {
      GATEHOUSE_PORT: "tcp://10.0.0.1:3306",
      GATEHOUSE_PORT_3306_TCP_ADDR: "10.0.0.1",
      GATEHOUSE_LOG_LEVLE: "debug",
    });
    expect(settings.values.port).toBe(-1);
    expect(settings.warnings).toEqual([
      "Environment variable GATEHOUSE_LOG_LEVLE is unknown and ignored: did you mean GATEHOUSE_LOG_LEVEL?",
    ]);
  });
});

describe("makeServeOptions()", () => {
  it("fills everything in from one flag", () => {
    const { gateway } = optionsOf([users]);
    expect(gateway).toMatchObject({
      listen: { tcp: { host: "127.0.0.1", port: 3306 }, unixSocketPath: null, proxyProtocolTrusted: [] },
      auth: { kind: "static", users: { kind: "file", path: "users.json", reloadIntervalMs: 0 } },
      backend: { kind: "embedded", dataDirectory: "/home/u/.local/share/gatehouse/embedded" },
      timeouts: { connectMs: 10_000, idleMs: 28_800_000, readMs: 0, writeMs: 60_000, queryMs: 0 },
      admin: null,
    });
  });

  it("uses XDG_DATA_HOME for the embedded server", () => {
    expect(optionsOf([users], { XDG_DATA_HOME: "/data" }).gateway.backend).toMatchObject({
      dataDirectory: "/data/gatehouse/embedded",
    });
  });

  it("hides the backend's password from anything that prints the options", () => {
    const options = optionsOf([users, "--backend=mysql://root:hunter2@db/shop"]);
    expect(JSON.stringify(options)).not.toContain("hunter2");
    expect(options.secretInArguments).toBe(true);
    const { backend } = options.gateway;
    if (backend.kind !== "server" || backend.password.kind !== "inline") throw new Error("wrong kind");
    expect(backend.password.reveal()).toBe("hunter2");
    expect(optionsOf([users], { GATEHOUSE_BACKEND: "mysql://root:x@db" }).secretInArguments).toBe(false);
  });

  it.each([
    [[], "No users: give --mysql_auth_server_static_file=users.json"],
    [[users, "--mysql_auth_server_static_string={}"], "Give one of --mysql_auth_server_static_file and"],
    [
      [users, "--enable_buffer=false", "--buffer_size=5"],
      "--buffer_size has no effect with --enable_buffer=false",
    ],
    [[users, "--mysql_auth_server_impl=none"], "--mysql_auth_server_static_file has no effect with"],
    [[users, "--mysql_server_port=-1"], "Nobody could connect: --mysql_server_port=-1 needs"],
    [[users, "--proxy_protocol"], "--proxy_protocol needs --proxy_protocol_trusted"],
    [[users, "--proxy_protocol_trusted=10.0.0.0/8"], "--proxy_protocol_trusted has no effect without"],
    [[users, "--proxy_protocol", "--proxy_protocol_trusted=10.0.0"], 'current value is "10.0.0"'],
    [[users, "--mysql_server_ssl_cert=c"], "--mysql_server_ssl_cert needs --mysql_server_ssl_key"],
    [
      [users, "--mysql_server_require_secure_transport"],
      "Nobody could connect: --mysql_server_require_secure",
    ],
    [[users, "--mysql_server_tls_min_version=TLSv1.3"], "has no effect without --mysql_server_ssl_cert"],
    [
      [users, "--mysql_server_ssl_ca=ca"],
      "--mysql_server_ssl_ca has no effect without --mysql_server_ssl_cert",
    ],
    [[users, "--mysql_server_ssl_server_ca=ca"], "--mysql_server_ssl_server_ca has no effect without"],
    [[users, "--mysql_server_ssl_crl=crl"], "--mysql_server_ssl_crl needs --mysql_server_ssl_ca"],
    [[users, "--mysql_server_client_cert=request"], "--mysql_server_client_cert needs --mysql_server_ssl_ca"],
    [[users, "--mysql_server_client_cert=maybe"], "require, request"],
    [["--mysql_auth_server_impl=clientcert"], "clientcert needs --mysql_server_ssl_ca"],
    [[users, "--mysql_auth_server_impl=clientcert"], "--mysql_auth_server_static_file has no effect with"],
    [["--mysql_auth_server_impl=clientcert", "--mysql_server_port=-1"], "unix sockets have no TLS"],
    [
      [
        "--mysql_auth_server_impl=clientcert",
        "--mysql_server_ssl_ca=a",
        "--mysql_server_client_cert=request",
      ],
      "--mysql_server_client_cert=request has no effect with",
    ],
    [[users, "--mysql_clientcert_auth_method=dialog"], "needs --mysql_auth_server_impl=clientcert"],
    [[users, "--check_proxy_users"], "--check_proxy_users has no effect without one of"],
    [[users, "--sha256_password_proxy_users"], "--sha256_password_proxy_users needs --check_proxy_users"],
    [[users, "--backend="], "Flag --backend must not be empty"],
    [[users, "--backend=db:3306"], "Flag --backend must be embedded or begin with mysql://"],
    [[users, "--backend_password_file=x"], "--backend_password_file has no effect with the embedded backend"],
    [[users, "--backend=mysql://u:p@h", "--backend_password_file=x"], "not in both"],
    [
      [users, "--backend=mysql://u@h", "--embedded_datadir=/x"],
      "--embedded_datadir needs --backend=embedded",
    ],
    [[users, "--bind_address=::"], "--bind_address needs --port"],
    [
      [users, "--queryserver_config_acl_exempt_acl=a"],
      "--queryserver_config_acl_exempt_acl needs --table_acl_config",
    ],
    [
      [users, "--queryserver_config_strict_table_acl"],
      "--queryserver_config_strict_table_acl needs --table_acl_config",
    ],
    [
      [
        users,
        "--table_acl_config=a.json",
        "--queryserver_config_enable_table_acl_dry_run",
        "--queryserver_config_strict_table_acl",
      ],
      "--queryserver_config_strict_table_acl has no effect with --queryserver_config_enable_table_acl_dry_run",
    ],
    [[users, "--mysql_server_version=abc"], "--mysql_server_version must be a version"],
    [[users, `--mysql_server_socket_path=/${"x".repeat(107)}`], "at most 107 bytes"],
  ])("of %j says: %s", (argv, message) => {
    expect(() => optionsOf(argv)).toThrow(message);
  });

  it("knows client certificates and proxy users", () => {
    const pair = ["--mysql_server_ssl_cert=c", "--mysql_server_ssl_key=k"];
    const { clientTls } = optionsOf([users, ...pair]).gateway;
    expect(clientTls).toMatchObject({ certFile: "c", keyFile: "k", serverCaFile: null, clientTrust: null });
    const trusting = [...pair, "--mysql_server_ssl_ca=a", "--mysql_server_ssl_server_ca=s"];
    expect(optionsOf([users, ...trusting]).gateway.clientTls).toMatchObject({
      serverCaFile: "s",
      clientTrust: { caFile: "a", crlFile: null, isRequired: true },
    });
    const request = ["--mysql_server_ssl_crl=r", "--mysql-server-client-cert=request"];
    expect(optionsOf([users, ...trusting, ...request]).gateway.clientTls?.clientTrust).toEqual({
      caFile: "a",
      crlFile: "r",
      isRequired: false,
    });
    const clientcert = ["--mysql_auth_server_impl=clientcert", ...trusting];
    expect(optionsOf(clientcert).gateway.auth).toEqual({
      kind: "clientcert",
      method: "mysql_clear_password",
    });
    expect(optionsOf([...clientcert, "--mysql_clientcert_auth_method=dialog"]).gateway.auth).toMatchObject({
      method: "dialog",
    });
    const mapping = ["--check_proxy_users", "--caching_sha2_password_proxy_users"];
    expect(optionsOf([users, ...mapping]).gateway.auth).toMatchObject({
      proxyUsers: {
        checkProxyUsers: true,
        mysqlNativePasswordProxyUsers: false,
        cachingSha2PasswordProxyUsers: true,
        sha256PasswordProxyUsers: false,
      },
    });
  });

  it("refuses an empty GATEHOUSE_BACKEND", () => {
    expect(() => optionsOf([users], { GATEHOUSE_BACKEND: "" })).toThrow(
      "Environment variable GATEHOUSE_BACKEND must not be empty",
    );
  });
});

describe("parseBackendUrl()", () => {
  it.each([
    [
      "mysql://u:p%40%3A@db:3307/shop",
      { address: { kind: "tcp", host: "db", port: 3307 }, password: "p@:", database: "shop" },
    ],
    ["mysql://u@db", { address: { kind: "tcp", host: "db", port: 3306 }, password: null, database: null }],
    ["mysql://u@[::1]:3306/", { address: { kind: "tcp", host: "::1", port: 3306 } }],
    [
      "mysql://u:p@/shop?socket=/run/my%20sql.sock",
      { address: { kind: "unix", path: "/run/my sql.sock" }, database: "shop" },
    ],
    ["mysql://u@/?socket=/run/a+b.sock", { address: { kind: "unix", path: "/run/a+b.sock" } }],
    ["mysql://u@db?ssl-ca=/my+ca", { tls: { mode: "VERIFY_CA", ca: "/my+ca" } }],
    ["mysql://u@localhost/?socket=/s", { address: { kind: "unix", path: "/s" } }],
    [
      "mysql://u@db?ssl-mode=verify_identity&ssl-ca=/ca",
      { tls: { mode: "VERIFY_IDENTITY", ca: "/ca", cert: null, key: null } },
    ],
    ["mysql://u@db?ssl-ca=/ca", { tls: { mode: "VERIFY_CA" } }],
    ["mysql://u@db", { tls: { mode: "DISABLED" } }],
  ])("reads %s", (text, expected) => {
    expect(parseBackendUrl(text)).toMatchObject(expected);
  });

  it.each([
    ["mysql://", "must name a user"],
    ["mysql://db", "must name a user"],
    ["mysql://u:hunter2@db:port", "must be a URL such as"],
    ["mysql://u:hunter2#x@db", "must be a URL such as"],
    ["mysql://u:hunter2@db/#frag", "must not have a fragment"],
    ["mysql://u:hunter2%@db", "must be percent-encoded correctly"],
    ["mysql://u:hunter2@db/a/b", "must name one database at most"],
    ["mysql://u:hunter2@db?ssl_mode=REQUIRED", "did you mean ssl-mode?"],
    ["mysql://u:hunter2@db?ssl-mode=PREFERRED", "must have an ssl-mode of DISABLED, REQUIRED"],
    ["mysql://u:hunter2@db?ssl-cert=x", "must give ssl-cert and ssl-key together"],
    ["mysql://u:hunter2@db?ssl-ca=x&ssl-mode=DISABLED", "must not give certificates"],
    ["mysql://u:hunter2@db?socket=", "must not leave socket empty"],
    ["postgres://u:hunter2@db", "must be embedded or begin with mysql://"],
  ])("of %s says: %s, without the password", (text, message) => {
    const result = parseBackendUrl(text);
    expect(result).toContain(message);
    expect(result).not.toContain("hunter2");
  });
});
