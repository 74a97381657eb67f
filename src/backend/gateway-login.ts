// How the gateway presents itself to database servers: one way to log in for pools and health checks.

import { type BackendLoginRequest, type LoggedIn, logIn } from "./backend-login.ts";
import type { BackendTlsContexts } from "./backend-tls.ts";

/** Makes the login of one gateway. `version`: the server's administrator sees it among the connection attributes. */
export function makeLogin(
  version: string,
  tlsContexts: BackendTlsContexts,
): (request: BackendLoginRequest) => Promise<LoggedIn> {
  const attributes = new Map([
    ["_client_name", "gatehouse"],
    ["_client_version", version],
    ["_os", process.platform],
    ["_pid", String(process.pid)],
    ["_platform", process.arch],
    ["program_name", "gatehouse"],
  ]);
  const shared = { tlsContexts, attributes };
  return (request) => logIn(request, shared);
}
