// Reads a users file: Vitess's static authentication file with the additions of schemas/users.schema.json. All problems
// at once, each with its place. Sentences never hold a value that could be a secret.

import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import { type JsonDocument, stepsOfJsonFile } from "../base/json-file.ts";
import { joinPointer } from "../base/json-text.ts";
import { type Problem, wholeFileProblem } from "../base/problem.ts";
import { runAtOnce, runInSteps, type Steps } from "../base/steps.ts";
import { stepsOfUserDirectory, type UserDirectory, type UserEntry } from "./user-directory.ts";
import { readEntry } from "./users-file-entry.ts";
import { complainAboutUsers, warnAboutUsers } from "./users-file-rules.ts";

/** Something at a place of the file. */
export interface Remark {
  /** JSON pointer (RFC 6901). */
  readonly pointer: string;
  /** Capital first, no full stop. */
  readonly message: string;
}

/** A users file that can be used, or all that is wrong with it. */
export type UsersFileResult =
  | { readonly ok: true; readonly directory: UserDirectory; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** An entry as the schema lets it through. */
export interface RawEntry {
  readonly UserData?: string;
  readonly Groups?: readonly string[];
  readonly Password?: string;
  readonly MysqlNativePassword?: string;
  readonly CachingSha2Password?: string;
  readonly SourceHost?: string | readonly string[];
  readonly Attributes?: { readonly spiffe_id?: string };
  readonly ProxyFor?: string | readonly string[];
  readonly AccountLocked?: boolean;
  readonly RequireSecureTransport?: boolean;
  readonly NotBefore?: string;
  readonly NotAfter?: string;
  readonly MaxConnections?: number;
}

const schema = createRequire(import.meta.url)("../../schemas/users.schema.json") as object;

/** Fingerprints are keyed, so that they cannot be tried out against guessed passwords. */
const processFingerprintKey = randomBytes(32);

/** Warnings, and problems beside those of the schema, beyond this number are not listed. */
const remarksMax = 1000;

/** Entries that are read between two steps. */
const entriesPerStep = 50;

/**
 * Parses and validates the text of a users file. Never throws for what the file holds.
 * `fingerprintKey`: fingerprints of entries compare only between files that were read with the same one; by default
 * each process has its own.
 */
export function readUsersFile(
  text: string | Uint8Array,
  path: string,
  generation: number,
  fingerprintKey: Uint8Array = processFingerprintKey,
): UsersFileResult {
  return runAtOnce(stepsOfReading(text, path, generation, fingerprintKey));
}

/** The same in steps: a large file must not hold up the sessions of those who are logged in. */
export function readUsersFileInSteps(
  text: string | Uint8Array,
  path: string,
  generation: number,
  fingerprintKey: Uint8Array = processFingerprintKey,
): Promise<UsersFileResult> {
  return runInSteps(stepsOfReading(text, path, generation, fingerprintKey));
}

function* stepsOfReading(
  text: string | Uint8Array,
  path: string,
  generation: number,
  fingerprintKey: Uint8Array,
): Steps<UsersFileResult> {
  const parsed = yield* stepsOfJsonFile({ text, path, schema, membersStandAlone: true });
  const document = parsed.ok ? parsed : parsed.invalid;
  if (document === null) return { ok: false, problems: parsed.ok ? [] : parsed.problems };
  yield;
  const read = yield* readUsers(document.value, parsed.ok, fingerprintKey);
  if (!parsed.ok) {
    const told = new Set(parsed.problems.map((problem) => problem.pointer));
    const further = read.complaints.filter((remark) => !told.has(remark.pointer)).slice(0, remarksMax);
    const more = yield* placed(further, path, document);
    return { ok: false, problems: [...parsed.problems, ...more].sort(byPlace) };
  }
  if (read.complaints.length > 0) {
    const problems = yield* placed(read.complaints.slice(0, remarksMax), path, document);
    const more = read.complaints.length - remarksMax;
    if (more > 0) problems.push(wholeFileProblem(path, `${more} more problems are not listed`));
    return { ok: false, problems };
  }
  const directory = yield* stepsOfUserDirectory(read.users, generation);
  return { ok: true, directory, warnings: yield* placed(read.warnings.slice(0, remarksMax), path, document) };
}

function* placed(remarks: readonly Remark[], path: string, document: JsonDocument): Steps<Problem[]> {
  if (remarks.length > 0) yield* document.stepsOfPlaces();
  return remarks.map((remark) => ({ path, ...document.positionOf(remark.pointer), ...remark })).sort(byPlace);
}

interface ReadUsers {
  readonly users: ReadonlyMap<string, readonly UserEntry[]>;
  readonly complaints: readonly Remark[];
  readonly warnings: readonly Remark[];
}

/** `isValid`: the schema let the document through; otherwise only what it can have missed is of interest. */
function* readUsers(document: unknown, isValid: boolean, fingerprintKey: Uint8Array): Steps<ReadUsers> {
  const complaints: Remark[] = [];
  const warnings: Remark[] = [];
  const users = new Map<string, readonly UserEntry[]>();
  const alone = new Set<string>();
  let entryCount = 0;
  const members = isRecord(document) ? document : {};
  for (const user of Object.keys(members)) {
    if (user === "$schema") continue;
    const value = members[user];
    const pointer = joinPointer("", user);
    const isList = Array.isArray(value);
    if (!isList) {
      alone.add(user);
      const message = `User ${JSON.stringify(user)} has an entry without a list around it: write [ ... ], the other form is Vitess's old one`;
      warnings.push({ pointer, message });
    }
    const entries: UserEntry[] = [];
    for (const [index, item] of (isList ? value : [value]).entries()) {
      const raw = isValid ? (item as RawEntry) : usableKeysOf(item);
      const entryPointer = isList ? `${pointer}/${index}` : pointer;
      const read = readEntry(raw, { user, index, pointer: entryPointer, fingerprintKey });
      complaints.push(...read.complaints);
      warnings.push(...read.warnings);
      entries.push(read.entry);
      entryCount += 1;
      if (entryCount % entriesPerStep === 0) yield;
    }
    users.set(user, entries);
  }
  const pointerOf = ({ user, index }: UserEntry): string =>
    alone.has(user) ? joinPointer("", user) : joinPointer(joinPointer("", user), index);
  for (const complaint of yield* complainAboutUsers(users, pointerOf)) complaints.push(complaint);
  if (complaints.length > 0) return { users, complaints, warnings };
  for (const warning of yield* warnAboutUsers(users, pointerOf)) warnings.push(warning);
  return { users, complaints, warnings };
}

/** What of an invalid entry has the type that it should have. */
function usableKeysOf(item: unknown): RawEntry {
  if (!isRecord(item)) return {};
  const isText = (value: unknown): boolean => typeof value === "string";
  const isTextOrList = (value: unknown): boolean =>
    isText(value) || (Array.isArray(value) && value.every(isText));
  const wanted: Readonly<Record<string, (value: unknown) => boolean>> = {
    Password: isText,
    MysqlNativePassword: isText,
    CachingSha2Password: isText,
    SourceHost: isTextOrList,
    ProxyFor: isTextOrList,
    Attributes: (value) => isRecord(value) && isText(value.spiffe_id),
    NotBefore: isText,
    NotAfter: isText,
  };
  return Object.fromEntries(Object.entries(item).filter(([key, value]) => wanted[key]?.(value) ?? false));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What is said of the file as a whole (line 0) comes last. */
function byPlace(left: Problem, right: Problem): number {
  const lineOf = ({ line }: Problem): number => (line === 0 ? Number.MAX_SAFE_INTEGER : line);
  return lineOf(left) - lineOf(right) || left.column - right.column;
}
