// Decisions of the table ACL per second of CPU time, on one thread, for files of different sizes. Run by hand after `npm run build`:
// node bench/acl-decisions.mjs

import { prepareTableAcl } from "../dist/acl/table-acl.js";
import { createTableAclAuthorizer } from "../dist/acl/table-acl-authorizer.js";
import { parseTableAclFile } from "../dist/acl/table-acl-file.js";
import { bareStatement } from "../dist/sql/statement-summary.js";

function fileWith(groupCount) {
  const table_groups = [{ name: "all", table_names_or_prefixes: ["%"], readers: ["*"] }];
  for (let index = 0; index < groupCount; index++) {
    table_groups.push({
      name: `g${index}`,
      table_names_or_prefixes: [`shop.t${index}`, `p${index}_%`],
      readers: Array.from({ length: 20 }, (_, user) => `u${index}_${user}`),
      writers: ["app"],
    });
  }
  return JSON.stringify({ table_groups });
}

const identity = {
  loginUser: "app",
  authUser: "app",
  authHost: "%",
  proxyUser: null,
  callerId: { username: "app", groups: ["web", "staff"] },
  entry: { user: "app", index: 0, generation: 1, fingerprint: "" },
  plugin: "caching_sha2_password",
  spiffeId: null,
  peer: { transport: "tcp", address: "127.0.0.1", port: 1, host: "127.0.0.1", tls: null },
};

function perSecond(run) {
  for (let warm = 0; warm < 20_000; warm++) run(warm);
  const start = process.cpuUsage();
  const rounds = 300_000;
  for (let round = 0; round < rounds; round++) run(round);
  const used = process.cpuUsage(start);
  const seconds = (used.user + used.system) / 1e6;
  return Math.round(rounds / seconds).toLocaleString("en");
}

for (const groupCount of [10, 1_000, 10_000]) {
  const text = fileWith(groupCount);
  const loadStart = performance.now();
  const parsed = parseTableAclFile({ text, path: "bench" });
  if (!parsed.ok) throw new Error(parsed.problems[0].message);
  const acl = prepareTableAcl(parsed.file, 0);
  const loadMs = Math.round(performance.now() - loadStart);
  const authorizer = createTableAclAuthorizer(acl, { strict: true, dryRun: false, exempt: [] });
  const statements = Array.from({ length: 512 }, (_, index) => {
    const target = { schema: "shop", name: `t${index % groupCount}`, qualified: false };
    const source = { schema: "shop", name: `other${index}`, qualified: false };
    return { ...bareStatement("INSERT"), writes: [target], reads: [source] };
  });
  const lookUp = perSecond((round) =>
    acl.decideTable(identity.callerId, statements[round & 511].writes[0], "writer"),
  );
  const judged = perSecond((round) => authorizer.authorize(identity, statements[round & 511]));
  if (authorizer.authorize(identity, statements[0]) instanceof Error)
    throw new Error("Nothing was permitted");
  console.log(
    `${groupCount} groups: loaded in ${loadMs} ms, ${lookUp} look-ups/s, ${judged} statements of two tables/s`,
  );
}

// The whole way of a text: cache, decision, as a session with a table ACL goes it for every command.
const { createCommandAnalyzer } = await import("../dist/session/analyze-command.js");
const { newSessionState } = await import("../dist/session/session.js");
const { createStatementDecider } = await import("../dist/session/statement-decider.js");
const parsed = parseTableAclFile({ text: fileWith(1_000), path: "bench" });
const authorizer = createTableAclAuthorizer(prepareTableAcl(parsed.file, 0), {
  strict: true,
  dryRun: false,
  exempt: [],
});
const server = { flavour: "mariadb", versionNumber: 101_119, lowerCaseTableNames: 0 };
const decider = createStatementDecider(
  () => authorizer,
  createCommandAnalyzer(() => server),
  () => "nothing",
);
const state = newSessionState(1, identity.peer, null, 0);
state.identity = identity;
state.database = "shop";
state.reading = {
  modes: { ansiQuotes: false, noBackslashEscapes: false, ignoreSpace: false, oracle: false },
  characterSet: "utf8",
};
const command = (sql) => Buffer.from(`\x03${sql}`);
const long = `SELECT a.id, b.name, COUNT(*) FROM orders a JOIN items b ON a.id = b.id LEFT JOIN visits c ON c.x = b.x WHERE ${"a.y = 'some value' AND ".repeat(17)} 1 = 1 GROUP BY a.id, b.name`;
const texts = Array.from({ length: 512 }, (_, id) => command(`SELECT c FROM orders WHERE id = ${id}`));
for (const [name, of] of [
  ["the same text, 37 bytes", () => texts[7]],
  [
    `the same text, ${long.length} bytes`,
    (
      (text) => () =>
        text
    )(command(long)),
  ],
  ["512 texts of one shape", (round) => texts[round & 511]],
  ["another value each time", (round) => command(`SELECT c FROM orders WHERE id = ${round}`)],
]) {
  if (decider.decide(state, of(1), 1).kind !== "forward") throw new Error("Nothing was permitted");
  console.log(`${name}: ${perSecond((round) => decider.decide(state, of(round), 1))} decisions/s`);
}
