// Many clients at a time on three connections, each with random session state of every kind, command by command; each
// reply has the very bytes that the server itself sends to a client that is alone on its connection.
import { randomInt } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Storm, StormPlayer, type StormStep } from "../support/command-storm.ts";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { loggedIn } from "../support/raw/login.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { randomFrom, schemaOfScripts } from "../support/session-script.ts";
import { sqlServers } from "../support/sql-servers.ts";

const clients = Number(process.env.GATEHOUSE_TEST_STORM_CLIENTS ?? 50);
const commandsOfEach = Number(process.env.GATEHOUSE_TEST_STORM_COMMANDS ?? 40);
const connections = 3;
/** Clients that may keep a connection for themselves at a time. */
const holdersMax = 2;
const seed = Number(process.env.GATEHOUSE_TEST_SEED ?? randomInt(1 << 30));

const isWanted = process.env.GATEHOUSE_TEST_STORM !== undefined;
if (!isWanted) console.warn("Skipping the storm of random commands: GATEHOUSE_TEST_STORM is not set");

describe.skipIf(!isWanted).each(sqlServers)("on $name", ({ start, present }) => {
  let server: DatabaseServer;
  let gateway: GatewayProcess;
  const open: RawClient[] = [];

  beforeAll(async () => {
    if (!present) return;
    // A slow query would show in a status flag.
    server = await start({ flags: ["--long-query-time=3600"] });
    gateway = await startGateway({
      backend: server,
      users: { [testUser.user]: [{ Password: testUser.password }] },
      flags: { backend_pool_size: connections, backend_pool_wait_timeout: "100s" },
    });
  });
  afterAll(async () => {
    for (const client of open) client.destroy();
    await gateway?.stop();
    await server?.stop();
  });

  async function connect(
    port: number,
    who: typeof testUser | typeof serviceAccount,
    database: string,
    capabilities: number,
  ): Promise<RawClient> {
    const client = await loggedIn({ port }, { ...who, database, capabilities, collation: 45 });
    open.push(client);
    return client;
  }

  it.skipIf(!present)(
    `${clients} clients on ${connections} connections (seed ${seed})`,
    async () => {
      let holders = 0;
      let commands = 0;
      /** Questions for FOUND_ROWS() after statements of which nobody knows whether they change it, elsewhere. */
      let untold = 0;
      const differences: string[] = [];
      const converse = async (index: number): Promise<void> => {
        const random = randomFrom(seed + index);
        const storm = new Storm(random, server.flavour);
        const number = String(index).padStart(4, "0");
        const [shared, own] = [`g${number}`, `d${number}`];
        await server.admin(...schemaOfScripts(shared));
        await server.admin(...schemaOfScripts(own));
        const capabilities = usualCapabilities | (index % 2 === 0 ? capability.DEPRECATE_EOF : 0);
        const through = new StormPlayer(
          await connect(gateway.port, testUser, shared, capabilities),
          shared,
          server.flavour,
        );
        const direct = new StormPlayer(
          await connect(server.port, serviceAccount, own, capabilities),
          own,
          server.flavour,
        );
        let holds: StormStep["holds"] = null;
        const history: string[] = [];
        const play = async (step: StormStep): Promise<boolean> => {
          const failed = (error: unknown): string => String(error);
          const [got, wanted] = [
            await through.play(step.command).catch(failed),
            await direct.play(step.command).catch(failed),
          ];
          commands += 1;
          history.push(JSON.stringify(step.command));
          if (got === wanted) return true;
          if (/doesn't yet support 'asking for the found rows/.test(got)) {
            untold += 1;
            return true;
          }
          differences.push(
            [
              `client ${index} (seed ${seed})`,
              ...history.slice(-12),
              `got    ${got}`,
              `wanted ${wanted}`,
            ].join("\n"),
          );
          return false;
        };
        // What FOUND_ROWS() says to a new client of MariaDB depends on the thread that serves it.
        await play({ command: { kind: "query", sql: "SELECT 1" }, holds: null });
        for (let count = 0; count < commandsOfEach; count += 1) {
          const step = storm.next(holds, holders < holdersMax);
          if (step.holds !== null && holds === null) holders += 1;
          if (step.command.kind === "reset") {
            if (holds !== null) holders -= 1;
            holds = null;
          } else if (holds !== "reset") {
            holds = step.holds ?? holds;
          }
          if (!(await play(step))) break;
        }
        await play({ command: { kind: "reset" }, holds: null });
        if (holds !== null) holders -= 1;
      };
      await Promise.all(Array.from({ length: clients }, (_, index) => converse(index)));
      expect(differences.join("\n\n")).toBe("");
      expect(untold).toBeLessThan(commands / 20);
      expect(commands).toBeGreaterThan((clients * commandsOfEach) / 2);
      expect(await gateway.metric("gatehouse_backend_connections")).toBeLessThanOrEqual(connections);
    },
    600_000,
  );
});
