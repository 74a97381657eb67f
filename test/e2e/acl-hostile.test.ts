// A person with a login and hostile intent, in front of real servers: reader, writer and admin of t, t2 and what begins with
// my_, without any right on `secret` and what stands beside it. Whatever is sent, no row of it may arrive, no name that was
// not sent, and no difference between a table that is there and one that is not.
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { capability, usualCapabilities } from "../support/raw/capabilities.ts";
import { loggedIn } from "../support/raw/login.ts";
import { encodeExecute } from "../support/raw/prepared.ts";
import type { RawClient, Reply } from "../support/raw/raw-client.ts";
import { sqlServers } from "../support/sql-servers.ts";
import { bypasses } from "../unit/acl/bypass-corpus.ts";
import { actingAttempts } from "./acl/hostile-acts.ts";
import { restore, secretState, setUp, writeHostileAcl } from "./acl/hostile-place.ts";
import { type Attempt, readingAttempts } from "./acl/hostile-reads.ts";

/** What must not arrive, unless the client has sent it. */
const markers = ["hidden", "unlisted", "vault", "gold", "secret", "777001"];
const intMarker = Buffer.from([0x29, 0xdb, 0x0b, 0x00]);

/** With which the gateway refuses. */
const refusals = new Set([1044, 1045, 1064, 1142, 1143, 1227, 1235, 1370]);
const serversOwn =
  /check the manual that corresponds|doesn't yet support '[^']*' yet|command is not supported in the prepared/;

const attempts: readonly Attempt[] = [
  ...readingAttempts,
  ...actingAttempts,
  ...bypasses
    .filter(({ schema, sqlMode }) => schema === undefined && sqlMode === undefined)
    .map(({ sql, only }) => (only === undefined ? { steps: [sql] } : { steps: [sql], on: only })),
];

/** A text in the bytes that it may have: characters up to U+00FF are single bytes, or UTF-8. */
function bytesOf(text: string): Buffer[] {
  const utf8 = Buffer.from(text);
  const isLatin1 = /^[\0-\xff]*$/.test(text);
  return !isLatin1 || utf8.length === text.length ? [utf8] : [Buffer.from(text, "latin1"), utf8];
}

/** The same attempt against what does not exist. */
const elsewhere = (text: string): string =>
  text.replaceAll("secret", "nosuch").replaceAll("vault", "noplc").replaceAll("736563726574", "6e6f73756368");

interface Outcome {
  readonly received: Buffer;
  readonly refused: boolean;
  readonly told: string;
}

for (const { name, flavour, start, present } of sqlServers) {
  describe.skipIf(!present)(`a hostile client of a gateway before ${name}`, () => {
    let server: DatabaseServer;
    let gateway: GatewayProcess;
    let root: Connection;

    beforeAll(async () => {
      server = await start({ skipNetworking: true });
      root = await server.connect();
      await setUp(root);
      gateway = await startGateway({
        backend: server,
        users: { eve: [{ Password: "eve-password" }] },
        flags: { table_acl_config: writeHostileAcl(), log_level: "info" },
      });
    });

    afterAll(async () => {
      root?.destroy();
      await gateway?.stop();
      await server?.stop();
    });

    function connect(): Promise<RawClient> {
      const more = capability.MULTI_STATEMENTS | capability.MULTI_RESULTS | capability.PS_MULTI_RESULTS;
      return loggedIn(
        { socketPath: gateway.socketPath },
        { user: "eve", password: "eve-password", database: "d", capabilities: usualCapabilities | more },
      );
    }

    async function run(client: RawClient, steps: readonly Buffer[], prepared: boolean): Promise<Outcome> {
      const replies: Reply[] = [];
      for (const step of steps) {
        const reply = await client.command(
          prepared ? Buffer.concat([Buffer.from([0x16]), step]) : Buffer.concat([Buffer.from([0x03]), step]),
        );
        replies.push(reply);
        const head = reply.packets[0];
        if (prepared && reply.error === null && head !== undefined)
          replies.push(await client.command(encodeExecute(head.readUInt32LE(1), [])));
      }
      const errors = replies.map(({ error }) => error);
      return {
        received: Buffer.concat(replies.flatMap(({ packets }) => packets)),
        refused: errors.some(
          (error) => error !== null && refusals.has(error.code) && !serversOwn.test(error.message),
        ),
        told: errors.map((error) => (error === null ? "ok" : `${error.code} ${error.message}`)).join(" | "),
      };
    }

    async function outcomeOf(steps: readonly Buffer[], prepared: boolean): Promise<Outcome> {
      const client = await connect();
      try {
        return await run(client, steps, prepared);
      } catch (error) {
        return { received: Buffer.alloc(0), refused: false, told: `lost: ${String(error)}` };
      } finally {
        client.destroy();
      }
    }

    async function problemsOf({ steps, harmless }: Attempt, prepared: boolean): Promise<string[]> {
      const problems: string[] = [];
      const sent = steps.join("\n");
      const known = `${sent} ${sent.includes("736563726574") ? "secret" : ""}`;
      for (const variant of steps.length === 1 ? bytesOf(sent).map((one) => [one]) : [steps.map(latin1Or)]) {
        const outcome = await outcomeOf(variant, prepared);
        const text = outcome.received.toString("latin1");
        for (const marker of markers) {
          if (text.includes(marker) && !known.includes(marker)) problems.push(`tells ${marker}`);
        }
        if (text.includes("hidden-value") || outcome.received.includes(intMarker))
          problems.push("tells a row");
        if (outcome.told.startsWith("lost")) problems.push(outcome.told);
        if (harmless !== true && !outcome.refused) problems.push(`is not refused: ${outcome.told}`);
        const other = variant.map((step) => Buffer.from(elsewhere(step.toString("latin1")), "latin1"));
        if (!other.every((step, index) => step.equals(variant[index] ?? Buffer.alloc(0)))) {
          await restore(root);
          const twin = await outcomeOf(other, prepared);
          if (elsewhere(text) !== twin.received.toString("latin1"))
            problems.push(`tells what exists: ${outcome.told} <> ${twin.told}`);
        }
      }
      return problems;
    }

    async function judge(own: readonly Attempt[], prepared: boolean): Promise<string[]> {
      const found: string[] = [];
      const before = await secretState(root);
      for (const attempt of own) {
        const problems = await problemsOf(attempt, prepared);
        await restore(root);
        const after = await secretState(root);
        if (after !== before) problems.push(`changes it: ${after}`);
        for (const problem of new Set(problems)) found.push(`${attempt.steps.join(" ;; ")} -> ${problem}`);
      }
      return found;
    }

    const own = attempts.filter(({ on }) => on === undefined || on === flavour);

    it("gets nothing by texts", { timeout: 300_000 }, async () => {
      expect(own.length).toBeGreaterThan(400);
      expect(await judge(own, false)).toEqual([]);
    });

    it("gets nothing by prepared statements", { timeout: 300_000 }, async () => {
      const single = own.filter(({ steps }) => steps.length === 1);
      expect(single.length).toBeGreaterThan(350);
      expect(await judge(single, true)).toEqual([]);
    });
  });
}

function latin1Or(text: string): Buffer {
  return bytesOf(text)[0] ?? Buffer.alloc(0);
}
