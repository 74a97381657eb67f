// THE tables of `gatehouse users`: sub-commands with their flags. Help, checks and docs/users-command.md derive from them.

import type { FlagDefinition } from "../flag-table.ts";

const file = {
  type: "path",
  default: null,
  group: "File",
  help: "The users file; default: GATEHOUSE_MYSQL_AUTH_SERVER_STATIC_FILE, else users.json",
} as const satisfies FlagDefinition;

const kinds = {
  type: "list",
  default: "sha2",
  group: "Password",
  help: "Which hashes to write: sha2 (every plugin but mysql_native_password), native, or both",
} as const satisfies FlagDefinition;

const ask = {
  type: "boolean",
  default: "false",
  group: "Password",
  help: "Ask for the password (or read it from a pipe) instead of making one of 32 random bytes",
} as const satisfies FlagDefinition;

const userData = {
  type: "text",
  default: null,
  group: "Entry",
  help: "UserData of the new entry; default: of the entry it follows, else the user's name",
} as const satisfies FlagDefinition;

const entry = {
  type: "integer",
  default: null,
  min: 0,
  max: 1_000_000,
  group: "Entry",
  help: "Position of the entry in the user's list, from 0, as list shows it",
} as const satisfies FlagDefinition;

const admin = {
  type: "list",
  default: null,
  group: "Gateways",
  help: "Admin HTTP of a running gateway, e.g. http://127.0.0.1:9090; once for each gateway",
} as const satisfies FlagDefinition;

const adminTokenFile = {
  type: "path",
  default: null,
  group: "Gateways",
  help: "File with the token that the gateways demand",
} as const satisfies FlagDefinition;

export const hashFlags = {} as const;

export const addFlags = {
  file,
  kinds,
  ask,
  user_data: userData,
  groups: { type: "list", default: null, group: "Entry", help: "Groups of the new entry" },
  source_host: { type: "list", default: null, group: "Entry", help: "SourceHost of the new entry" },
} as const satisfies Readonly<Record<string, FlagDefinition>>;

export const rotateFlags = {
  file,
  kinds: {
    ...kinds,
    default: null,
    help: "Which hashes to write: sha2, native, or both; default: as the entry before",
  },
  ask,
  user_data: userData,
} as const satisfies Readonly<Record<string, FlagDefinition>>;

export const retireFlags = {
  file,
  entry: { ...entry, help: "Position of the entry in the user's list, from 0; default: 0, the oldest" },
  admin,
  admin_token_file: adminTokenFile,
  unused_for: {
    type: "duration",
    default: "24h",
    min: 0,
    group: "Gateways",
    help: "How long every gateway must have counted without seeing the entry used",
  },
  force: {
    type: "boolean",
    default: "false",
    group: "Gateways",
    help: "Remove the entry although it is in use, or nobody knows whether it is",
  },
} as const satisfies Readonly<Record<string, FlagDefinition>>;

export const listFlags = {
  file,
  admin,
  admin_token_file: adminTokenFile,
} as const satisfies Readonly<Record<string, FlagDefinition>>;

export const importFlags = {
  file: { ...file, help: "The users file to add to, made when missing; default: print the result instead" },
} as const satisfies Readonly<Record<string, FlagDefinition>>;
