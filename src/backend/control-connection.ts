// A connection for the control plane: a few statements of the gateway's own whose results are rows. The only file that
// imports mysql2; clients' statements never come here.

import { readFile } from "node:fs/promises";
import { type ConnectionOptions, createConnection } from "mysql2/promise";
import type { BackendAddress, BackendTls } from "../routing/route.ts";

/** Where to log in, and as whom. */
export interface ControlLogin {
  readonly address: BackendAddress;
  readonly tls: BackendTls;
  readonly user: string;
  readonly password: string;
  /** For the connection, and for each statement, in milliseconds. */
  readonly timeoutMs: number;
}

/** One row; text columns are strings, binary ones buffers. */
export type ControlRow = Readonly<Record<string, unknown>>;

/** A logged-in connection. */
export interface ControlConnection {
  /** Runs one statement. @throws the driver's error: `code` is the server's symbol, e.g. `ER_NO_SUCH_TABLE` */
  query(statement: string): Promise<readonly ControlRow[]>;
  /** Never rejects. */
  close(): Promise<void>;
}

/** @throws the driver's or the system's error when the login fails */
export async function openControlConnection(login: ControlLogin): Promise<ControlConnection> {
  const { address, timeoutMs } = login;
  const connection = await createConnection({
    ...(address.kind === "unix" ? { socketPath: address.path } : { host: address.host, port: address.port }),
    user: login.user,
    password: login.password,
    connectTimeout: timeoutMs,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    ...(await tlsOptions(login)),
  });
  // A connection that dies between two statements fails the next one; nobody else has to hear of it.
  connection.on("error", () => {});
  return {
    query: async (statement) => {
      const [rows] = await connection.query({ sql: statement, timeout: timeoutMs });
      return Array.isArray(rows) ? (rows as ControlRow[]) : [];
    },
    close: () => connection.end().catch(() => connection.destroy()),
  };
}

async function tlsOptions(login: ControlLogin): Promise<Pick<ConnectionOptions, "ssl">> {
  const { mode, ca, cert, key } = login.tls;
  if (mode === "DISABLED") return {};
  return {
    ssl: {
      ...(ca === null ? {} : { ca: await readFile(ca, "utf8") }),
      ...(cert === null ? {} : { cert: await readFile(cert, "utf8") }),
      ...(key === null ? {} : { key: await readFile(key, "utf8") }),
      rejectUnauthorized: mode !== "REQUIRED",
      verifyIdentity: mode === "VERIFY_IDENTITY",
    },
  };
}
