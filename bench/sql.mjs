// CPU time of the SQL analysis, so that other programs do not count: lexer, analyser, cache, rewriting, and one long INSERT. Run after
// `npm run build`: node bench/sql.mjs [seconds per figure]
import { analyzeText } from "../dist/sql/analyze.js";
import { mayContainKill } from "../dist/sql/kill.js";
import { lex } from "../dist/sql/lexer.js";
import { rewriteIdentity } from "../dist/sql/rewrite.js";
import { internContext, StatementCache } from "../dist/sql/statement-cache.js";

const seconds = Number(process.argv[2] ?? 1);
const modes = { ansiQuotes: false, noBackslashEscapes: false, ignoreSpace: false, oracle: false };
const context = internContext({
  modes,
  flavour: "mariadb",
  version: 101_119,
  characterSet: "utf8",
  defaultSchema: "shop",
  lowerCaseTableNames: 0,
});

const point = Buffer.from("SELECT c FROM sbtest1 WHERE id=500123");
const medium =
  Buffer.from(`WITH recent AS (SELECT o.id, o.customer_id, SUM(i.price * i.amount) AS total FROM orders o
  JOIN order_items AS i ON i.order_id = o.id LEFT JOIN (discounts d, campaigns c) ON d.order_id = o.id
  WHERE o.created_at > '2024-01-01' AND o.state IN ('paid', 'sent', 'done') GROUP BY o.id, o.customer_id)
  SELECT r.id, u.name, COALESCE(r.total, 0), (SELECT MAX(x.at) FROM visits x WHERE x.user_id = u.id) AS last
  FROM recent r JOIN users u ON u.id = r.customer_id WHERE EXISTS (SELECT 1 FROM roles WHERE user_id = u.id)
  ORDER BY r.total DESC LIMIT 50`);
const identity = Buffer.from("SELECT USER(), a FROM t WHERE owner = CURRENT_USER()");

/** Runs `operation` for some time in growing rounds; microseconds for one. */
function measure(name, operation) {
  for (let warm = 0; warm < 3000; warm += 1) operation(warm);
  let rounds = 1024;
  let elapsed = 0;
  let count = 0;
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    const start = process.cpuUsage();
    for (let index = 0; index < rounds; index += 1) operation(count + index);
    const used = process.cpuUsage(start);
    elapsed += (used.user + used.system) / 1000;
    count += rounds;
    rounds = Math.min(rounds * 2, 4096);
  }
  const micros = (elapsed * 1000) / count;
  console.log(
    `${name.padEnd(52)} ${micros.toFixed(2).padStart(9)} us ${Math.round(1e6 / micros)
      .toString()
      .padStart(10)} /s`,
  );
}

const options = { ...modes, flavour: "mariadb", version: 101_119, characterSet: "utf8" };
const mediumText = medium.toString("latin1");
const cache = new StatementCache();
const values = {
  user: "u@h",
  currentUser: "u@%",
  currentRole: null,
  connectionId: 7,
  proxyUser: null,
  externalUser: null,
  processList: () => "SELECT 1",
  proxyUsers: { check: false, mysqlNativePassword: false, cachingSha2Password: false, sha256Password: false },
};
const identityAnalyzed = analyzeText(identity, context);

measure(`look for KILL, ${medium.length} bytes`, () => mayContainKill(medium));
measure(`lex, ${medium.length} bytes`, () => lex(mediumText, options).release());
measure(`analyse, ${point.length} bytes`, () => analyzeText(point, context));
measure(`analyse, ${medium.length} bytes`, () => analyzeText(medium, context));
measure(`analyse in unknown modes, ${medium.length} bytes`, () =>
  analyzeText(medium, { ...context, modes: null }),
);
measure(`cache hit by text, ${point.length} bytes`, () => cache.analyze(point, context));
measure(`cache hit by text, ${medium.length} bytes`, () => cache.analyze(medium, context));
measure("cache hit by shape, another id each time", (id) =>
  cache.analyze(Buffer.from(`SELECT c FROM sbtest1 WHERE id=${id}`, "latin1"), context),
);
measure("cache miss, another column each time", (id) =>
  cache.analyze(Buffer.from(`SELECT c${id} FROM sbtest1 WHERE id=1`, "latin1"), context),
);
measure("replace two identity functions", () => rewriteIdentity(identity, identityAnalyzed, values, context));

for (const [name, row] of [
  ["literals", "(1,'some text of a row',NULL,-2.5),"],
  ["calls", "(1,'some text of a row',NOW()),"],
]) {
  for (const mebibytes of [1, 4, 16]) {
    const head = "INSERT INTO t VALUES ";
    const text = Buffer.from(head + row.repeat(Math.ceil((mebibytes << 20) / row.length)) + row.slice(0, -1));
    const start = process.cpuUsage();
    const analyzed = analyzeText(text, context);
    const elapsed = process.cpuUsage(start).user / 1000;
    const answer = analyzed.uncertain === null ? "analysed" : analyzed.uncertain.reason;
    console.log(`INSERT of ${mebibytes} MiB, ${name}: ${elapsed.toFixed(0)} ms, ${answer}`);
  }
}
