// Decisions of the table ACL per second, on one thread, for files of different sizes. Run by hand after `npm run build`:
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
  const start = process.hrtime.bigint();
  const rounds = 300_000;
  for (let round = 0; round < rounds; round++) run(round);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
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
