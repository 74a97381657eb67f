// Starts the embedded database for whoever serves it: this process, or its workers.

import { randomBytes } from "node:crypto";
import { EmbeddedError, type EmbeddedServer, startEmbedded } from "../backend/embedded/start-embedded.ts";
import { type EmbeddedAccess, type GatewayTools, StartError } from "./gateway-seam.ts";

/** A running embedded database. */
export interface EmbeddedDatabase {
  readonly access: EmbeddedAccess;
  /** Never rejects. */
  stop(): Promise<void>;
}

/** @throws StartError when it cannot run. */
export async function openEmbedded(
  directory: string,
  tools: Pick<GatewayTools, "clock" | "logger">,
): Promise<EmbeddedDatabase> {
  let server: EmbeddedServer;
  try {
    server = await startEmbedded({
      directory,
      environment: process.env,
      clock: tools.clock,
      random: randomBytes,
      isRoot: process.getuid?.() === 0,
    });
  } catch (error) {
    if (error instanceof EmbeddedError) throw new StartError(error.message, { cause: error });
    throw error;
  }
  const note = `The embedded database serves (${server.version}, data in ${server.directory}): set --backend to use a server of your own`;
  tools.logger.warn(note);
  void server.ended.then((how) => {
    if (how === "failed")
      tools.logger.error(`The embedded database is gone for good: see ${server.directory}/server.log`);
  });
  const { user, password } = server.account;
  return {
    access: { socketPath: server.address.path, user, password: password(), note },
    stop: () => server.stop(),
  };
}
