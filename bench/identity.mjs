// What it costs to tell each session who it is: the look at statements that ask nothing of it, and what is put into those
// that do. CPU time on one thread. Run by hand after `npm run build`: node bench/identity.mjs

import { permitAll } from "../dist/acl/authorizer.js";
import { createCommandAnalyzer } from "../dist/session/analyze-command.js";
import { createStatementDecider } from "../dist/session/statement-decider.js";
import { editCommand, truthEdits } from "../dist/session/truth.js";
import { noProxyUsers } from "../dist/users/proxy-users.js";

const peer = { transport: "tcp", address: "192.0.2.7", port: 1, host: "192.0.2.7", tls: null };
const identity = {
  loginUser: "anna",
  authUser: "anna",
  authHost: "%",
  proxyUser: null,
  callerId: { username: "web", groups: [] },
  entry: { user: "anna", index: 0, generation: 1, fingerprint: "" },
  baseEntry: null,
  plugin: "caching_sha2_password",
  spiffeId: null,
  peer,
};
const state = {
  id: 7,
  identity,
  database: "shop",
  reading: {
    modes: { ansiQuotes: false, noBackslashEscapes: false, ignoreSpace: false, oracle: false },
    characterSet: "utf8",
  },
};
const server = { flavour: "mysql", versionNumber: 80_040, lowerCaseTableNames: 0 };
const services = {
  proxyUsers: noProxyUsers,
  callerIdComment: false,
  limits: { allowedPacketBytesMax: 64 << 20 },
};
const loop = { state, services };
const decider = createStatementDecider(
  () => permitAll,
  createCommandAnalyzer(() => server),
  () => "nothing",
);

const rounds = 300_000;

/** Microseconds of CPU that one statement takes: the least of several runs. */
function measure(name, sql) {
  const text = Buffer.from(sql);
  const frames = Buffer.concat([Buffer.from([0, 0, 0, 0, 3]), text]);
  frames.writeUIntLE(text.length + 1, 0, 3);
  const payload = frames.subarray(4);
  const whole = () => {
    const decision = decider.decide(state, payload, 1);
    const edits = truthEdits(loop, payload.subarray(1), decision.truth);
    return editCommand(loop, frames, edits, decision.text);
  };
  const decide = () => decider.decide(state, payload, 1);
  const cost = (run) => {
    for (let round = 0; round < rounds / 10; round++) run();
    const times = Array.from({ length: 7 }, () => {
      const start = process.cpuUsage();
      for (let round = 0; round < rounds; round++) run();
      return process.cpuUsage(start).user / rounds;
    });
    return Math.min(...times);
  };
  const [decided, told] = [cost(decide), cost(whole)];
  console.log(
    `${name}: ${decided.toFixed(2)} us to decide, ${Math.max(0, told - decided).toFixed(2)} us to tell the truth`,
  );
}

measure("point SELECT", "SELECT c FROM sbtest1 WHERE id=4711");
measure(
  "SELECT of 550 bytes",
  `SELECT ${"a.column_with_a_name, ".repeat(22)}b.id FROM orders AS a JOIN items AS b ON a.id = b.order_id WHERE a.id=7`,
);
measure("SELECT with a function", "SELECT NOW(), c FROM sbtest1 WHERE id=4711");
measure("SELECT from a table of users", "SELECT name FROM users WHERE id=4711");
measure("SELECT USER()", "SELECT USER()");
measure(
  "SELECT of four of them",
  "SELECT USER(), CURRENT_USER, CONNECTION_ID(), @@proxy_user AS p FROM t WHERE id=1",
);
