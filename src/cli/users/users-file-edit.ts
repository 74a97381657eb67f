// Edits of a users file: each reads it, checks it, changes one place, checks it again and replaces it, or does nothing.

import type { Clock } from "../../base/clock.ts";
import { addMembers, appendItem, removeAt, wrapInList } from "../../base/json-edit.ts";
import { joinPointer } from "../../base/json-text.ts";
import { FileProblemsError } from "../../base/reloadable.ts";
import type { UserDirectory, UserEntry } from "../../users/user-directory.ts";
import { readUsersFile } from "../../users/users-file.ts";
import { UsageError } from "../arguments.ts";
import { editFile, readFileText } from "./edit-file.ts";

/** An entry as it is written. */
export type EntryText = Readonly<Record<string, unknown>>;

/** The file at hand, valid, with its plain data. */
export interface OpenUsersFile {
  readonly directory: UserDirectory;
  /** All entries of a user as written; the legacy form as a list of one. */
  readonly rawEntriesOf: (user: string) => readonly EntryText[];
}

/** @throws FileProblemsError when the text is not a valid users file */
export function parseUsersText(text: string, path: string): OpenUsersFile {
  const result = readUsersFile(text, path, 1);
  if (!result.ok) throw new FileProblemsError(result.problems);
  let parsed: Record<string, EntryText | readonly EntryText[]> | null = null;
  return {
    directory: result.directory,
    rawEntriesOf: (user) => {
      parsed ??= JSON.parse(text.replace(/^\ufeff/, "")) as NonNullable<typeof parsed>;
      const raw = parsed;
      const value = Object.hasOwn(raw, user) ? raw[user] : undefined;
      return value === undefined ? [] : ([value].flat() as readonly EntryText[]);
    },
  };
}

/** Reads a users file without editing it. @throws UsageError, FileProblemsError */
export function openUsersFile(path: string): OpenUsersFile {
  return parseUsersText(readFileText(path), path);
}

/** The entries of a user. @throws UsageError when the file has no such user */
export function entriesOf(file: OpenUsersFile, user: string, path: string): readonly UserEntry[] {
  const entries = file.directory.entriesOf(user);
  if (entries === null) throw new UsageError(`${path} has no user '${user}': gatehouse users list shows all`);
  return entries;
}

/** Runs `change` on the file's text; the result must be a valid users file. @throws UsageError, FileProblemsError */
export async function editUsersFile(
  path: string,
  clock: Clock,
  change: (text: string, file: OpenUsersFile | null) => string,
  options: { readonly create: boolean } = { create: false },
): Promise<void> {
  await editFile({
    path,
    clock,
    initialText: options.create ? "{\n}\n" : null,
    edit: (found) => {
      // Made beforehand and still empty, as touch or an editor leaves it.
      const isNew = options.create && /^\ufeff?\s*(?:\{\s*\})?\s*$/.test(found);
      const text = isNew ? "{\n}\n" : found;
      const after = change(text, isNew ? null : parseUsersText(text, path));
      parseUsersText(after, path);
      return after;
    },
  });
}

/** The text with new users. */
export function withUsers(
  text: string,
  users: Iterable<readonly [user: string, entries: readonly EntryText[]]>,
): string {
  return addMembers(text, "", users);
}

/** The text with one more entry behind the user's others. */
export function withEntry(text: string, user: string, entry: EntryText): string {
  const pointer = joinPointer("", user);
  const listed = Array.isArray(valueAt(text, user)) ? text : wrapInList(text, pointer);
  return appendItem(listed, pointer, entry);
}

/** The text without one entry; without the user where it was the last one. */
export function withoutEntry(text: string, user: string, index: number): string {
  const pointer = joinPointer("", user);
  const value = valueAt(text, user);
  return Array.isArray(value) && value.length > 1
    ? removeAt(text, joinPointer(pointer, index))
    : removeAt(text, pointer);
}

function valueAt(text: string, user: string): unknown {
  return (JSON.parse(text.replace(/^\ufeff/, "")) as Record<string, unknown>)[user];
}
