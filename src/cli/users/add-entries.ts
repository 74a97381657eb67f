// `users hash`, `users add` and `users rotate`: new passwords. A password is printed once and never written.

import { UsageError } from "../arguments.ts";
import type { CommandContext, ExitCode } from "../command.ts";
import {
  credentialKeys,
  cryptHash,
  type HashKind,
  makePassword,
  nativeHash,
  sha2Hash,
} from "./password-hashes.ts";
import { type PasswordSource, readPassword } from "./password-input.ts";
import { type EntryText, editUsersFile, entriesOf, withEntry, withUsers } from "./users-file-edit.ts";
import { addFlags, hashFlags, rotateFlags } from "./users-flags.ts";
import { hashKinds, readUsersSettings, usersFilePath } from "./users-settings.ts";

/** Prints all kinds of hashes of one password. */
export async function printHashes(context: CommandContext, passwords: PasswordSource): Promise<ExitCode> {
  readUsersSettings(context, hashFlags, { min: 0, max: 0 });
  const password = await readPassword(passwords);
  context.print(`"MysqlNativePassword": "${nativeHash(password)}"`);
  context.print(`"CachingSha2Password": "${sha2Hash(password)}"`);
  context.print(`"CachingSha2Password": "${cryptHash(password)}"`);
  return 0;
}

/** Adds a user. */
export async function addUser(context: CommandContext, passwords: PasswordSource): Promise<ExitCode> {
  const { settings, words } = readUsersSettings(context, addFlags, { min: 1, max: 1 });
  const { values } = settings;
  const [user = ""] = words;
  if (user === "" || user === "$schema") throw new UsageError(`'${user}' cannot be the name of a user`);
  const path = usersFilePath(values.file, context);
  const kinds = hashKinds(values.kinds);
  const password = values.ask ? await readPassword(passwords) : makePassword();
  const entry: EntryText = {
    UserData: values.user_data ?? user,
    ...(values.groups.length > 0 ? { Groups: values.groups } : {}),
    ...(values.source_host.length > 0 ? { SourceHost: values.source_host } : {}),
    ...credentialKeys(password, kinds),
  };
  await editUsersFile(
    path,
    context.clock,
    (text, file) => {
      if ((file?.directory.entriesOf(user) ?? null) !== null) {
        throw new UsageError(
          `${path} has a user '${user}' already: gatehouse users rotate gives it a second password`,
        );
      }
      return withUsers(text, [[user, [entry]]]);
    },
    { create: true },
  );
  tellPassword(context, values.ask, password, `Added ${user}[0] to ${path}`);
  return 0;
}

/** Adds an entry with a new password to a user. */
export async function rotateUser(context: CommandContext, passwords: PasswordSource): Promise<ExitCode> {
  const { settings, words } = readUsersSettings(context, rotateFlags, { min: 1, max: 1 });
  const { values } = settings;
  const [user = ""] = words;
  const path = usersFilePath(values.file, context);
  const wanted = hashKinds(values.kinds);
  const password = values.ask ? await readPassword(passwords) : makePassword();
  let index = 0;
  await editUsersFile(path, context.clock, (text, file) => {
    if (file === null) throw new UsageError(`${path} does not exist`);
    index = entriesOf(file, user, path).length;
    const before = file.rawEntriesOf(user).at(-1) ?? {};
    const kinds = wanted.length > 0 ? wanted : kindsOf(before);
    return withEntry(text, user, successorOf(before, values.user_data, credentialKeys(password, kinds)));
  });
  tellPassword(
    context,
    values.ask,
    password,
    `Added ${user}[${index}] to ${path}; the passwords before it still work`,
  );
  return 0;
}

/** An entry's settings with another password. What told or dated the old one is left out. */
function successorOf(before: EntryText, userData: string | null, credentials: EntryText): EntryText {
  const dropped = [
    "Password",
    "MysqlNativePassword",
    "CachingSha2Password",
    "NotBefore",
    "NotAfter",
    "Comment",
    "UserData",
  ];
  const kept = Object.fromEntries(Object.entries(before).filter(([key]) => !dropped.includes(key)));
  const data = userData ?? before.UserData;
  return { ...(data === undefined ? {} : { UserData: data }), ...kept, ...credentials };
}

function kindsOf(entry: EntryText): HashKind[] {
  const kinds: HashKind[] = [];
  if (entry.Password !== undefined) return ["sha2", "native"];
  if (entry.MysqlNativePassword !== undefined) kinds.push("native");
  if (entry.CachingSha2Password !== undefined) kinds.push("sha2");
  return kinds.length === 0 ? ["sha2"] : kinds;
}

/** The password goes alone to stdout, so that a script can take it; the rest goes to stderr. */
function tellPassword(context: CommandContext, asked: boolean, password: string, done: string): void {
  context.complain(done);
  if (asked) return;
  context.complain("Its password, shown this once:");
  context.print(password);
}
