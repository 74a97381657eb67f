// `users import`: reads the accounts of an existing server and writes them as entries.

import { type ControlConnection, openControlConnection } from "../../backend/control-connection.ts";
import { UsageError } from "../arguments.ts";
import { type BackendUrl, parseBackendUrl } from "../backend-url.ts";
import type { CommandContext, ExitCode } from "../command.ts";
import { type Account, convertAccounts } from "./account-entries.ts";
import { type PasswordSource, readPassword } from "./password-input.ts";
import { type EntryText, editUsersFile, parseUsersText, withUsers } from "./users-file-edit.ts";
import { importFlags } from "./users-flags.ts";
import { readUsersSettings } from "./users-settings.ts";

/** For the connection and for each statement, in milliseconds. */
const importTimeoutMs = 10_000;

/** Takes over the accounts of a server. */
export async function importUsers(context: CommandContext, passwords: PasswordSource): Promise<ExitCode> {
  const { settings, words } = readUsersSettings(context, importFlags, { min: 0, max: 1 });
  const url = readUrl(words[0], context);
  const { users, notes } = convertAccounts(await readAccounts(url, passwords));
  for (const note of notes) context.complain(note);
  context.complain("Grants are not carried over: the gateway's own account and the table ACL decide");
  if (users.size === 0) throw new UsageError("No account can be carried over");
  const path = settings.values.file;
  if (path === null) {
    const text = `${JSON.stringify(Object.fromEntries(users), null, 2)}\n`;
    parseUsersText(text, "the imported users");
    context.print(text.trimEnd());
    return 0;
  }
  await addUsers(context, path, users);
  return 0;
}

async function addUsers(
  context: CommandContext,
  path: string,
  users: ReadonlyMap<string, readonly EntryText[]>,
): Promise<void> {
  const added: [string, readonly EntryText[]][] = [];
  await editUsersFile(
    path,
    context.clock,
    (text, file) => {
      for (const [user, entries] of users) {
        if (file !== null && file.directory.entriesOf(user) !== null) {
          context.complain(`'${user}' is left out: ${path} has that user already`);
          continue;
        }
        added.push([user, entries]);
      }
      return withUsers(text, added);
    },
    { create: true },
  );
  context.complain(`Added ${added.length} users to ${path}`);
}

function readUrl(word: string | undefined, context: CommandContext): BackendUrl {
  const text = word ?? context.environment.GATEHOUSE_BACKEND;
  if (text === undefined)
    throw new UsageError("The server is missing: gatehouse users import mysql://root@db.example");
  const url = parseBackendUrl(text);
  if (typeof url === "string")
    throw new UsageError(`The server's URL ${url.replace("be embedded or begin", "begin")}`);
  if (word !== undefined && url.password !== null) {
    context.complain(
      "A password on the command line can be read by every user of this machine: better leave it out",
    );
  }
  return url;
}

async function readAccounts(url: BackendUrl, passwords: PasswordSource): Promise<Account[]> {
  const password = url.password ?? (await readPassword(passwords));
  const { address, tls, user } = url;
  let connection: ControlConnection;
  try {
    connection = await openControlConnection({ address, tls, user, password, timeoutMs: importTimeoutMs });
  } catch (error) {
    throw new UsageError(`Cannot log in to the server: ${reasonOf(error)}`);
  }
  try {
    const [version] = await connection.query("SELECT VERSION() AS version");
    const mariadb = /mariadb/i.test(String(version?.version));
    return mariadb ? await readMariadbAccounts(connection) : await readMysqlAccounts(connection);
  } catch (error) {
    throw new UsageError(
      `Cannot read the accounts: ${reasonOf(error)}; the account needs SELECT on the schema mysql`,
    );
  } finally {
    await connection.close();
  }
}

/** The server's words name the account, never its password. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return message === "" || message === undefined ? (code ?? "unknown failure") : message;
}

/** https://dev.mysql.com/doc/refman/8.4/en/grant-tables.html */
async function readMysqlAccounts(connection: ControlConnection): Promise<Account[]> {
  const query = (attributes: string): Promise<readonly Record<string, unknown>[]> =>
    connection.query(
      `SELECT User, Host, plugin, HEX(authentication_string) AS hash, account_locked, password_expired, ssl_type, password_lifetime, max_questions, max_updates, max_connections, max_user_connections, ${attributes} AS attributes FROM mysql.user ORDER BY User, Host`,
    );
  // 5.7 has no attributes.
  const rows = await query("User_attributes").catch(() => query("NULL"));
  const roles = await connection
    .query("SELECT DISTINCT FROM_USER AS name, FROM_HOST AS host FROM mysql.role_edges")
    .catch(() => []); // 5.7 has no roles.
  const isRole = (user: string, host: string): boolean =>
    roles.some((role) => String(role.name) === user && String(role.host) === host);
  return rows.map((row) => {
    const plugin = String(row.plugin);
    const attributes = attributesOf(row.attributes);
    // RETAIN CURRENT PASSWORD: both work, so both become entries.
    const second = attributes.additional_password;
    const hashes = [
      Buffer.from(String(row.hash ?? ""), "hex"),
      ...(typeof second === "string" && second !== "" ? [Buffer.from(second, "latin1")] : []),
    ];
    return {
      user: String(row.User),
      host: String(row.Host),
      methods: hashes.map((hash) => ({ plugin, hash })),
      locked: row.account_locked === "Y",
      expired: row.password_expired === "Y",
      isRole: isRole(String(row.User), String(row.Host)),
      sslType: String(row.ssl_type),
      maxUserConnections: Number(row.max_user_connections),
      beyondPassword:
        attributes.multi_factor_authentication === undefined ? null : "it needs more than a password",
      lost: [
        ...lostLimits(row),
        ...(attributes.Password_locking === undefined ? [] : ["locking after failed logins"]),
        ...(Number(row.password_lifetime ?? 0) > 0 ? ["the lifetime of its password"] : []),
      ],
    };
  });
}

/** The column is JSON; drivers hand it out parsed or as text. */
function attributesOf(value: unknown): Readonly<Record<string, unknown>> {
  const parsed: unknown = typeof value === "string" ? JSON.parse(value) : value;
  return typeof parsed === "object" && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : {};
}

function lostLimits(limits: Readonly<Record<string, unknown>>): string[] {
  const names = ["max_questions", "max_updates", "max_connections"];
  return names.some((name) => Number(limits[name] ?? 0) > 0) ? ["limits per hour"] : [];
}

/** https://mariadb.com/kb/en/mysqlglobal_priv-table/ */
async function readMariadbAccounts(connection: ControlConnection): Promise<Account[]> {
  const rows = await connection.query(
    "SELECT User, Host, CAST(Priv AS CHAR) AS priv FROM mysql.global_priv ORDER BY User, Host",
  );
  const sslTypes = ["", "ANY", "X509", "SPECIFIED"];
  return rows.map((row) => {
    const priv = JSON.parse(String(row.priv)) as Record<string, unknown>;
    const alternatives = (Array.isArray(priv.auth_or) ? priv.auth_or : [{}]) as Record<string, unknown>[];
    return {
      user: String(row.User),
      host: String(row.Host),
      // An empty object stands for the account's own plugin among its alternatives.
      methods: alternatives.map((method) => {
        const own = Object.keys(method).length === 0 ? priv : method;
        return {
          plugin: String(own.plugin ?? ""),
          hash: Buffer.from(String(own.authentication_string ?? ""), "latin1"),
        };
      }),
      locked: priv.account_locked === true,
      expired: priv.password_last_changed === 0,
      isRole: priv.is_role === true,
      sslType: sslTypes[Number(priv.ssl_type ?? 0)] ?? "SPECIFIED",
      maxUserConnections: Number(priv.max_user_connections ?? 0),
      beyondPassword: null,
      lost: [
        ...lostLimits(priv),
        ...(Number(priv.password_lifetime ?? 0) > 0 ? ["the lifetime of its password"] : []),
      ],
    };
  });
}
