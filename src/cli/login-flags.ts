// The rows of THE table of flags (flags.ts) that are about users, logins and TLS toward clients.

import { durationFlag as duration, type FlagTable } from "./flag-table.ts";

const logins = { group: "Users and logins" } as const;
const tls = { group: "TLS toward clients" } as const;

export const loginFlags = {
  mysql_auth_server_impl: {
    ...logins,
    type: "choice",
    choices: ["static", "clientcert", "none"],
    default: "static",
    help: "How logins are judged: by a users file, by the client's certificate alone, or not at all",
  },
  mysql_clientcert_auth_method: {
    ...logins,
    type: "choice",
    choices: ["mysql_clear_password", "dialog", "caching_sha2_password"],
    default: "mysql_clear_password",
    help: "With clientcert, the method that the greeting names and clients are switched to; what they send by it is ignored",
  },
  mysql_auth_server_static_file: {
    ...logins,
    type: "path",
    default: null,
    reloadable: true,
    help: "The users file (JSON)",
  },
  mysql_auth_server_static_string: {
    ...logins,
    type: "text",
    default: null,
    help: "The users as JSON text, instead of a file",
  },
  mysql_auth_static_reload_interval: {
    ...logins,
    ...duration,
    default: "0s",
    help: "Also reload the users file this often, beside the file watch",
  },
  mysql_auth_disconnect_removed: {
    ...logins,
    type: "boolean",
    default: "false",
    help: "End sessions whose entry, or whose base's entry, a reload of the users file has removed or changed",
  },
  mysql_allow_clear_text_without_tls: {
    ...logins,
    type: "boolean",
    default: "false",
    help: "Accept mysql_clear_password over plain TCP",
  },
  mysql_server_rsa_private_key: {
    ...logins,
    type: "path",
    default: null,
    reloadable: true,
    help: "RSA key (PEM) for password exchange over plain TCP, instead of one made at start",
  },
  check_proxy_users: {
    ...logins,
    type: "boolean",
    default: "false",
    help: "Map logins to the base users that ProxyFor of their entry names, for the methods that the next three flags allow",
  },
  mysql_native_password_proxy_users: {
    ...logins,
    type: "boolean",
    default: "false",
    help: "With check_proxy_users: map logins by mysql_native_password",
  },
  caching_sha2_password_proxy_users: {
    ...logins,
    type: "boolean",
    default: "false",
    help: "With check_proxy_users: map logins by caching_sha2_password",
  },
  sha256_password_proxy_users: {
    ...logins,
    type: "boolean",
    default: "false",
    help: "With check_proxy_users: map logins by sha256_password",
  },
  strict_file_mode: {
    ...logins,
    type: "boolean",
    default: "false",
    help: "Refuse a users file that others may read, instead of warning",
  },
  mysql_server_ssl_cert: {
    ...tls,
    type: "path",
    default: null,
    reloadable: true,
    help: "Certificate with its chain (PEM)",
  },
  mysql_server_ssl_key: {
    ...tls,
    type: "path",
    default: null,
    reloadable: true,
    help: "Private key of the certificate (PEM)",
  },
  mysql_server_ssl_server_ca: {
    ...tls,
    type: "path",
    default: null,
    reloadable: true,
    help: "Certificates of CAs (PEM) that are sent to clients behind the certificate",
  },
  mysql_server_ssl_ca: {
    ...tls,
    type: "path",
    default: null,
    reloadable: true,
    help: "CAs that client certificates are verified by (PEM): roots and intermediates in any order",
  },
  mysql_server_ssl_crl: {
    ...tls,
    type: "path",
    default: null,
    reloadable: true,
    help: "Revocation lists (PEM) of the CAs that client certificates are verified by",
  },
  mysql_server_client_cert: {
    ...tls,
    type: "choice",
    choices: ["require", "request"],
    default: "require",
    help: "With mysql_server_ssl_ca: require a verified certificate of every TCP client, or verify it where there is one",
  },
  mysql_server_require_secure_transport: {
    ...tls,
    type: "boolean",
    default: "false",
    help: "Refuse clients on plain TCP",
  },
  mysql_server_tls_min_version: {
    ...tls,
    type: "choice",
    choices: ["TLSv1.2", "TLSv1.3"],
    default: "TLSv1.2",
    help: "Oldest TLS version spoken",
  },
} as const satisfies FlagTable;
