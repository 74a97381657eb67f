// Sessions that share backend connections see their own state and nobody else's: random conversations of many clients at
// a time, each compared with the same conversation over a connection of its own.
import { randomInt } from "node:crypto";
import type { Connection } from "mysql2/promise";
import { createConnection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DatabaseServer, serviceAccount } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway, testUser } from "../support/gateway-process.ts";
import { doStep, nextStep, randomFrom, schemaOfScripts } from "../support/session-script.ts";
import { sqlServers } from "../support/sql-servers.ts";

const clients = 50;
const stepsOfEach = 60;
const connections = 20;
/** Clients that may keep a connection for themselves at a time. */
const pinnedMax = 12;
/** The answer to FOUND_ROWS() and SHOW WARNINGS when somebody else has taken the connection since. */
const isLostLeftover = / -> 1235 .*whose backend connection has been left since/;

const seed = Number(process.env.GATEHOUSE_TEST_SEED ?? randomInt(1 << 30));

describe.each(sqlServers)("on $name", ({ start, present }) => {
  let server: DatabaseServer;
  let gateway: GatewayProcess;
  const open: Connection[] = [];

  beforeAll(async () => {
    if (!present) return;
    server = await start({});
    gateway = await startGateway({
      backend: server,
      users: { [testUser.user]: [{ Password: testUser.password }] },
      flags: { backend_pool_size: connections, backend_pool_wait_timeout: "60s" },
    });
  });
  afterAll(async () => {
    for (const connection of open) connection.destroy();
    await gateway?.stop();
    await server?.stop();
  });

  async function connect(port: number, who: typeof testUser | typeof serviceAccount, database: string) {
    const connection = await createConnection({
      host: "127.0.0.1",
      port,
      user: who.user,
      password: who.password,
      database,
      // MariaDB forgets it at COM_CHANGE_USER, the gateway does not.
      flags: server.flavour === "mariadb" ? ["-IGNORE_SPACE"] : [],
    });
    connection.on("error", () => {});
    open.push(connection);
    return connection;
  }

  it.skipIf(!present)(
    `${clients} clients on ${connections} connections (seed ${seed})`,
    async () => {
      let pinned = 0;
      let steps = 0;
      const converse = async (index: number): Promise<void> => {
        const random = randomFrom(seed + index);
        const [shared, own] = [`g${index}`, `d${index}`];
        await server.admin(...schemaOfScripts(shared));
        await server.admin(...schemaOfScripts(own));
        const through = await connect(gateway.port, testUser, shared);
        const direct = await connect(server.port, serviceAccount, own);
        let isPinned = false;
        for (let count = 0; count < stepsOfEach; count += 1) {
          const step = nextStep(random, isPinned, pinned < pinnedMax);
          if (step.pins && !isPinned) {
            isPinned = true;
            pinned += 1;
          }
          const [got, wanted] = [await doStep(through, step, shared), await doStep(direct, step, own)];
          // Leftovers are kept for two seconds: a machine that stands still for so long loses them, and says so.
          const told = got.map((line, at) => (isLostLeftover.test(line) ? wanted[at] : line));
          expect(told, `client ${index}, step ${count}`).toEqual(wanted);
          steps += 1;
          if (step.how === "change user" && isPinned) {
            isPinned = false;
            pinned -= 1;
          }
        }
        if (isPinned) pinned -= 1;
        await through.end();
        await direct.end();
      };
      await Promise.all(Array.from({ length: clients }, (_, index) => converse(index)));
      expect(steps).toBe(clients * stepsOfEach);
      expect(await gateway.metric("gatehouse_backend_takeovers_total", { why: "session" })).toBeGreaterThan(
        100,
      );
      expect(await gateway.metric("gatehouse_backend_connections")).toBeLessThanOrEqual(connections);
    },
    300_000,
  );
});
