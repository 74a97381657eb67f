import { rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { GatewayOptions } from "../../../src/server/gateway-options.ts";
import { StartError } from "../../../src/server/gateway-seam.ts";
import { listenFailure, listenPlaces, tryListenPlaces } from "../../../src/server/listen-places.ts";
import { removeFolder, scratchFolder } from "../../support/scratch.ts";

const servers: Server[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  for (const folder of folders.splice(0)) removeFolder(folder);
});

function newFolder(): string {
  const folder = scratchFolder("places");
  folders.push(folder);
  return folder;
}

async function listening(where: { port: number; host: string } | { path: string }): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(where, resolve));
  servers.push(server);
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function options(what: {
  readonly tcp?: { host: string; port: number };
  readonly path?: string;
  readonly admin?: { host: string; port: number };
}): GatewayOptions {
  return {
    listen: { tcp: what.tcp ?? null, unixSocketPath: what.path ?? null },
    admin: what.admin === undefined ? null : { ...what.admin, tokenFile: null },
  } as unknown as GatewayOptions;
}

async function refusal(what: Parameters<typeof options>[0]): Promise<string> {
  const error = await tryListenPlaces(options(what)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StartError);
  return (error as StartError).message;
}

describe("tryListenPlaces()", () => {
  it("leaves free places as it found them", async () => {
    const path = join(newFolder(), "g.sock");
    const free = { host: "127.0.0.1", port: 0 };
    await tryListenPlaces(options({ tcp: free, path, admin: free }));
    await listening({ path });
  });

  it("names the flag of the port that is taken", async () => {
    const host = "127.0.0.1";
    const port = await listening({ host, port: 0 });
    expect(await refusal({ tcp: { host, port } })).toBe(
      `Cannot listen on 127.0.0.1:${port}: it is in use; choose another with --mysql_server_port, or stop what uses it`,
    );
    expect(await refusal({ tcp: { host, port: 0 }, admin: { host, port } })).toBe(
      `Cannot listen on 127.0.0.1:${port}: it is in use; choose another with --port, or stop what uses it`,
    );
  });

  it("names the flag of an address that is not this machine's, or no address at all", async () => {
    expect(await refusal({ tcp: { host: "192.0.2.1", port: 0 } })).toBe(
      "Cannot listen on 192.0.2.1:0: this machine has no such address; choose another with --mysql_server_bind_address",
    );
    expect(await refusal({ admin: { host: "300.1.1.1", port: 0 } })).toBe(
      "Cannot listen on 300.1.1.1:0: the name cannot be resolved; give an address with --bind_address",
    );
  });

  it("tells what is wrong with a socket's path", async () => {
    const folder = newFolder();
    const path = join(folder, "g.sock");
    expect(await refusal({ path: join(folder, "none/g.sock") })).toBe(
      `Cannot listen on ${folder}/none/g.sock: there is no folder ${folder}/none; make it first`,
    );
    await listening({ path });
    expect(await refusal({ path })).toBe(
      `Cannot listen on ${path}: it is in use; choose another with --mysql_server_socket_path, or stop what uses it`,
    );
    const file = join(folder, "file");
    writeFileSync(file, "precious");
    expect(await refusal({ path: file })).toBe(
      `Cannot listen on ${file}: it exists and is no socket; remove it, or choose another with --mysql_server_socket_path`,
    );
    rmSync(file);
    await tryListenPlaces(options({ path: file }));
  });
});

describe("listenFailure()", () => {
  it("leaves errors of other things alone", () => {
    const places = listenPlaces(options({ tcp: { host: "127.0.0.1", port: 1 } }));
    const other = Object.assign(new Error("x"), { code: "EACCES", syscall: "open", path: "/f" });
    expect(listenFailure(other, places)).toBe(other);
    const taken = { code: "EADDRINUSE", syscall: "listen", address: "127.0.0.1", port: 1 };
    expect(listenFailure(Object.assign(new Error("x"), taken), places)).toMatchObject({
      message:
        "Cannot listen on 127.0.0.1:1: it is in use; choose another with --mysql_server_port, or stop what uses it",
    });
  });
});
