// Opens every file that a gateway was told to read, all or none: reloaded together, closed together.

import type { Reloadable } from "../base/reloadable.ts";
import { openAdminToken } from "./admin-token.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import type { GatewayTools } from "./gateway-seam.ts";
import { type PreparedBackend, prepareBackend } from "./open-backend.ts";
import { type OpenedJudge, openLoginJudge } from "./open-login-judge.ts";
import type { WatchedFile } from "./reload-report.ts";
import { noTableAcl, openTableAcl, type TableAclSource } from "./table-acl-source.ts";
import { type ClientTls, openClientTls } from "./tls-source.ts";
import { adviseAboutUsers } from "./users-advice.ts";
import { type Advise, openUsers, type Users } from "./users-source.ts";

/** What the files hold now. */
export interface OpenedFiles {
  readonly users: Users | null;
  readonly tls: ClientTls | null;
  readonly judge: OpenedJudge;
  /** The token that the admin API demands. */
  readonly token: Reloadable<string> | null;
  readonly tableAcl: TableAclSource;
  readonly backend: PreparedBackend;
  /** All that are watched. */
  readonly watched: readonly WatchedFile[];
  /** Reads all of them again. Never rejects. */
  reload(trigger: string): Promise<void>;
  close(): void;
}

interface Opened {
  reload(trigger: string): Promise<unknown>;
  close(): void;
}

/** @throws FileProblemsError, StartError: nothing stays open then, or a failed start would never end. */
export async function openFiles(options: GatewayOptions, gatewayTools: GatewayTools): Promise<OpenedFiles> {
  const watched: WatchedFile[] = [];
  const tools = { ...gatewayTools, watchedFiles: watched };
  const opened: Opened[] = [];
  const close = () => {
    for (const one of opened.splice(0)) one.close();
  };
  const keep = async <T extends Opened>(opening: Promise<T>): Promise<T> => {
    const one = await opening;
    opened.push(one);
    return one;
  };
  const { auth, clientTls, admin, tableAcl } = options;
  const { clock } = tools;
  try {
    const advise: Advise = (directory, path) => adviseAboutUsers(directory, path, options);
    const users =
      auth.kind === "static" ? await keep(openUsers(auth, advise, clock, tools, tools.hooks?.users)) : null;
    const tls = clientTls === null ? null : await keep(openClientTls(clientTls, clock, tools));
    const judge = await keep(openLoginJudge(options, users, tools));
    const tokenFile = admin?.tokenFile ?? null;
    const token = tokenFile === null ? null : await keep(openAdminToken(tokenFile, clock, tools));
    const acl = tableAcl === null ? noTableAcl : await keep(openTableAcl(tableAcl, clock, tools));
    const backend = await keep(prepareBackend(options, tools));
    const reload = async (trigger: string): Promise<void> => {
      await Promise.all(opened.map((one) => one.reload(trigger)));
    };
    return { users, tls, judge, token, tableAcl: acl, backend, watched, reload, close };
  } catch (error) {
    close();
    throw error;
  }
}
