// The smallest program around a gateway: `node gateway.mjs mysql://user:password@host:3306/`. It stops with Ctrl-C.

import { createGateway } from "mysql-gatehouse";

const gateway = await createGateway({
  settings: { mysql_server_port: 0, backend: process.argv[2], log_level: "warn" },
  hooks: { users: { load: () => ({ shop: [{ Password: "shop-secret" }] }) } },
});
process.once("SIGINT", () => void gateway.stop());
process.once("SIGTERM", () => void gateway.stop());
await gateway.start();
console.log(`Listening on ${gateway.addresses.join(", ")}`);
