// A router whose word is that of code given from outside; what the gateway itself would do is at its hand.

import { sqlError } from "../errors/sql-error.ts";
import type { Identity } from "../identity/identity.ts";
import type { RouteRequest, Router } from "../routing/router.ts";
import type { RouteResult, RouterHook } from "./gateway-hooks.ts";

/** Puts `hook` before `usual`. */
export function hookedRouter(usual: Router, hook: RouterHook): Router {
  return {
    generation: usual.generation,
    schemas: usual.schemas,
    routedBy: "everything",
    route: (identity: Identity, request: RouteRequest): RouteResult => {
      const result = hook.route(identity, request, () => usual.route(identity, request));
      if (!("refuse" in result)) return result;
      return sqlError("ER_UNKNOWN_ERROR", { detail: result.refuse });
    },
  };
}
