// Whose rights `gatehouse explain` looks at: the identity that a login by this name would get.

import { identifyUser } from "../auth/identify.ts";
import { isFileContent, readFileContent } from "../base/file-content.ts";
import { parseIpNetwork } from "../base/ip-network.ts";
import { jsonFileBytesMax } from "../base/json-file.ts";
import { nearestName } from "../base/nearest-name.ts";
import { FileProblemsError } from "../base/reloadable.ts";
import type { Identity } from "../identity/identity.ts";
import type { Peer } from "../identity/peer.ts";
import type { AuthOptions, UsersSource } from "../server/gateway-options.ts";
import type { UserDirectory, UserEntry } from "../users/user-directory.ts";
import { readUsersFile } from "../users/users-file.ts";
import { UsageError } from "./arguments.ts";

/** Who is asked about. */
export interface ExplainedLogin {
  readonly user: string;
  /** null: whatever the user's entries say, when they all say the same. */
  readonly user_data: string | null;
  readonly host: string;
}

/**
 * The identity of such a login over a secure transport.
 * @throws UsageError when the users file has no such entry, FileProblemsError when it is bad.
 */
export async function explainedIdentity(
  auth: AuthOptions,
  login: ExplainedLogin,
  nowMs: number,
): Promise<Identity> {
  const peer = peerAt(login.host);
  if (auth.kind !== "static") return unlisted(login, peer);
  const users = await usersOf(auth.users);
  const entry = entryOf(users, login);
  const user = {
    loginUser: login.user,
    entry,
    directory: users,
    plugin: "caching_sha2_password",
    spiffeId: null,
  };
  const request = {
    origin: "connect",
    user: login.user,
    authResponse: new Uint8Array(0),
    clientPlugin: user.plugin,
    scramble: new Uint8Array(0),
    database: null,
    collation: 0,
    capabilities: 0,
    attributes: new Map<string, string>(),
    peer,
  } as const;
  const identified = identifyUser(user, request, auth.proxyUsers, nowMs);
  if ("identity" in identified) return identified.identity;
  throw new UsageError(`User '${login.user}' cannot log in: ${identified.reason}`);
}

/** Of a gateway without a users file: UserData is the name, unless the command says otherwise. */
function unlisted({ user, user_data }: ExplainedLogin, peer: Peer): Identity {
  return {
    loginUser: user,
    authUser: user,
    authHost: "%",
    proxyUser: null,
    callerId: { username: user_data ?? user, groups: [] },
    entry: { user, index: 0, generation: 1, fingerprint: "" },
    baseEntry: null,
    plugin: "none",
    spiffeId: null,
    peer,
  };
}

function peerAt(host: string): Peer {
  const isLocal = host === "localhost";
  if (!isLocal && parseIpNetwork(host) === null)
    throw new UsageError(`Flag --host must be an IP address or localhost: '${host}'`);
  const tls = isLocal ? null : { version: "TLSv1.3", cipher: "", certificate: null };
  return { transport: isLocal ? "unix" : "tcp", address: isLocal ? "" : host, port: 0, host, tls };
}

async function usersOf(source: UsersSource): Promise<UserDirectory> {
  let text: string | Uint8Array;
  let path = "--mysql_auth_server_static_string";
  if (source.kind === "hook") throw new UsageError("Users of a hook cannot be looked at");
  if (source.kind === "text") text = source.text;
  else {
    const content = await readFileContent(source.path, jsonFileBytesMax);
    if (!isFileContent(content)) throw new FileProblemsError([content]);
    text = content.bytes;
    path = source.path;
  }
  const result = readUsersFile(text, path, 1);
  if (!result.ok) throw new FileProblemsError(result.problems);
  return result.directory;
}

function entryOf(users: UserDirectory, { user, user_data }: ExplainedLogin): UserEntry {
  const entries = users.entriesOf(user);
  if (entries === null) {
    const nearest = nearestName(user, users.userNames);
    throw new UsageError(`No user '${user}'${nearest === null ? "" : `: did you mean '${nearest}'?`}`);
  }
  const fitting = user_data === null ? entries : entries.filter((entry) => entry.userData === user_data);
  const kinds = new Set(
    fitting.map(({ userData, groups }) => JSON.stringify([userData, [...groups].sort()])),
  );
  const [entry] = fitting;
  const all = [...new Set(entries.map(({ userData }) => userData))].join(", ");
  if (entry === undefined)
    throw new UsageError(`User '${user}' has no entry with UserData '${user_data}': there are ${all}`);
  if (kinds.size > 1)
    throw new UsageError(`User '${user}' has entries with different rights: give one of --user_data=${all}`);
  return entry;
}
