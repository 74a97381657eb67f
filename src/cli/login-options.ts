// The flags about users, logins and TLS toward clients, as options: what belongs together, and what would have no
// effect (an error: no flag does nothing).

import type {
  AuthOptions,
  ClientTlsOptions,
  ClientTrustOptions,
  UsersSource,
} from "../server/gateway-options.ts";
import type { ProxyUserOptions } from "../users/proxy-users.ts";
import type { serveFlags } from "./flags.ts";
import type { Settings } from "./settings.ts";

/** The values of the flags of `serve`. */
export type ServeSettings = Settings<typeof serveFlags>;
/** Collects mistakes, so that all are told at once. */
export type Complain = (sentence: string) => void;

/** Flags that mean something to users of a file only. */
const staticFlags = [
  "mysql_auth_server_static_file",
  "mysql_auth_server_static_string",
  "mysql_auth_static_reload_interval",
  "mysql_auth_disconnect_removed",
  "mysql_allow_clear_text_without_tls",
  "mysql_server_rsa_private_key",
  "check_proxy_users",
  "mysql_native_password_proxy_users",
  "caching_sha2_password_proxy_users",
  "sha256_password_proxy_users",
  "strict_file_mode",
] as const;

/** How logins are judged; null: nobody could log in, which was complained about. */
export function readAuthOptions(
  settings: ServeSettings,
  complain: Complain,
  usersFrom: "flags" | "hook",
): AuthOptions | null {
  const { values } = settings;
  const kind = values.mysql_auth_server_impl;
  if (kind !== "clientcert" && settings.isSet("mysql_clientcert_auth_method")) {
    complain("Flag --mysql_clientcert_auth_method needs --mysql_auth_server_impl=clientcert");
  }
  if (kind === "static") return readStaticOptions(settings, complain, usersFrom);
  for (const name of staticFlags) {
    if (settings.isSet(name)) complain(`Flag --${name} has no effect with --mysql_auth_server_impl=${kind}`);
  }
  if (kind === "none") return { kind };
  if (values.mysql_server_ssl_ca === null) {
    complain(
      "Nobody could log in: --mysql_auth_server_impl=clientcert needs --mysql_server_ssl_ca, which verifies the certificates",
    );
  }
  if (values.mysql_server_port === -1) {
    complain(
      "Nobody could log in: --mysql_auth_server_impl=clientcert needs TCP, as unix sockets have no TLS",
    );
  }
  if (values.mysql_server_client_cert === "request") {
    complain(
      "Flag --mysql_server_client_cert=request has no effect with --mysql_auth_server_impl=clientcert",
    );
  }
  return { kind, method: values.mysql_clientcert_auth_method };
}

/** Where users come from; null: from nowhere, which was complained about. */
function readUsersSource(
  settings: ServeSettings,
  complain: Complain,
  usersFrom: "flags" | "hook",
): UsersSource | null {
  const { values } = settings;
  const path = values.mysql_auth_server_static_file;
  const text = values.mysql_auth_server_static_string;
  if (usersFrom === "hook") {
    if (path !== null || text !== null) complain("Users come from the hook: give no users file beside it");
    return { kind: "hook" };
  }
  if (path === null && text === null) {
    complain(
      "No users: give --mysql_auth_server_static_file=users.json (users.example.json shows the format), or let everybody in with --mysql_auth_server_impl=none",
    );
    return null;
  }
  if (path !== null && text !== null) {
    complain("Give one of --mysql_auth_server_static_file and --mysql_auth_server_static_string, not both");
  }
  if (path !== null)
    return { kind: "file", path, reloadIntervalMs: values.mysql_auth_static_reload_interval };
  if (settings.isSet("mysql_auth_disconnect_removed"))
    complain("Flag --mysql_auth_disconnect_removed needs --mysql_auth_server_static_file");
  return { kind: "text", text: text ?? "" };
}

function readStaticOptions(
  settings: ServeSettings,
  complain: Complain,
  usersFrom: "flags" | "hook",
): AuthOptions | null {
  const { values } = settings;
  const users = readUsersSource(settings, complain, usersFrom);
  if (users === null) return null;
  if (users.kind !== "file") {
    for (const name of ["mysql_auth_static_reload_interval", "strict_file_mode"] as const) {
      if (settings.isSet(name)) complain(`Flag --${name} needs --mysql_auth_server_static_file`);
    }
  }
  return {
    kind: "static",
    users,
    disconnectRemoved: values.mysql_auth_disconnect_removed,
    allowClearTextWithoutTls: values.mysql_allow_clear_text_without_tls,
    rsaPrivateKeyFile: values.mysql_server_rsa_private_key,
    strictFileMode: values.strict_file_mode,
    proxyUsers: readProxyUserOptions(settings, complain),
  };
}

function readProxyUserOptions({ values }: ServeSettings, complain: Complain): ProxyUserOptions {
  const methods = {
    mysql_native_password_proxy_users: values.mysql_native_password_proxy_users,
    caching_sha2_password_proxy_users: values.caching_sha2_password_proxy_users,
    sha256_password_proxy_users: values.sha256_password_proxy_users,
  };
  const wanted = Object.entries(methods).filter(([, isOn]) => isOn);
  if (values.check_proxy_users && wanted.length === 0) {
    complain(
      `Flag --check_proxy_users has no effect without one of --${Object.keys(methods).join(", --")}: they name the methods whose logins are mapped`,
    );
  }
  if (!values.check_proxy_users) {
    for (const [name] of wanted) complain(`Flag --${name} needs --check_proxy_users`);
  }
  return {
    checkProxyUsers: values.check_proxy_users,
    mysqlNativePasswordProxyUsers: methods.mysql_native_password_proxy_users,
    cachingSha2PasswordProxyUsers: methods.caching_sha2_password_proxy_users,
    sha256PasswordProxyUsers: methods.sha256_password_proxy_users,
  };
}

/** TLS toward clients; null: none. */
export function readTlsOptions(
  settings: ServeSettings,
  hasUnixSocket: boolean,
  complain: Complain,
): ClientTlsOptions | null {
  const { values } = settings;
  const { mysql_server_ssl_cert: certFile, mysql_server_ssl_key: keyFile } = values;
  const clientTrust = readClientTrust(settings, complain);
  if (certFile !== null && keyFile !== null) {
    const { mysql_server_ssl_server_ca: serverCaFile, mysql_server_tls_min_version: minVersion } = values;
    return { certFile, keyFile, serverCaFile, minVersion, clientTrust };
  }
  if (certFile !== null) complain("Flag --mysql_server_ssl_cert needs --mysql_server_ssl_key");
  if (keyFile !== null) complain("Flag --mysql_server_ssl_key needs --mysql_server_ssl_cert");
  for (const name of [
    "mysql_server_ssl_server_ca",
    "mysql_server_ssl_ca",
    "mysql_server_tls_min_version",
  ] as const) {
    if (settings.isSet(name)) complain(`Flag --${name} has no effect without --mysql_server_ssl_cert`);
  }
  if (values.mysql_server_require_secure_transport && !hasUnixSocket) {
    complain(
      "Nobody could connect: --mysql_server_require_secure_transport needs --mysql_server_ssl_cert and --mysql_server_ssl_key, or a unix socket",
    );
  }
  return null;
}

function readClientTrust(settings: ServeSettings, complain: Complain): ClientTrustOptions | null {
  const { values } = settings;
  const { mysql_server_ssl_ca: caFile, mysql_server_ssl_crl: crlFile } = values;
  if (caFile !== null) {
    return { caFile, crlFile, isRequired: values.mysql_server_client_cert === "require" };
  }
  for (const name of ["mysql_server_ssl_crl", "mysql_server_client_cert"] as const) {
    if (settings.isSet(name)) complain(`Flag --${name} needs --mysql_server_ssl_ca`);
  }
  return null;
}
