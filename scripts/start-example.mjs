// `npm start`: serves users.example.json on port 15306 with the embedded database and, once clients can connect, prints the
// line to paste. Further arguments are passed on.

import { spawn } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";

const port = 15306;
const root = fileURLToPath(new URL("..", import.meta.url));
const gateway = spawn(
  process.execPath,
  [
    "bin/gatehouse.js",
    "--mysql_auth_server_impl=static",
    "--mysql_auth_server_static_file=users.example.json",
    `--mysql_server_port=${port}`,
    "--log_format=text",
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: "inherit" },
);

// Ctrl-C reaches the gateway by itself: it is in the terminal's foreground, too. A second signal would hurry it.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => gateway.kill(signal));
gateway.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 0 : 1);
  if (poll !== null) clearInterval(poll);
});

let poll = null;
// Somebody else's greeting is none of ours: the gateway says then that the port is in use, and ends.
const probe = connect({ host: "127.0.0.1", port });
probe.once("connect", () => probe.destroy());
probe.once("error", () => {
  poll = setInterval(waitForGreeting, 300);
});

function waitForGreeting() {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => {});
  // The greeting has arrived: clients can log in.
  socket.once("data", () => {
    clearInterval(poll);
    socket.destroy();
    console.log("\nPaste into another terminal:\n");
    console.log(`    mysql -h 127.0.0.1 -P ${port} -u myuser1 -ppassword1\n`);
  });
}
