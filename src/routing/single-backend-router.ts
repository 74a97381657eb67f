// Routing where there is one server: every statement goes there, and a schema is simply that server's.

import type { BackendAccount, Route, Tablet } from "./route.ts";
import type { RouteRequest, Router } from "./router.ts";

/** The one server. */
export interface SingleBackend {
  readonly tablet: Tablet;
  /** The account as it is now: its generation changes with its password. */
  readonly account: () => BackendAccount;
  /** Schema of sessions that name none; null: none. */
  readonly database: string | null;
}

/** Routes everything to one server. */
export class SingleBackendRouter implements Router {
  readonly generation = 1;
  readonly routedBy = "nothing";
  readonly schemas = null;
  readonly #backend: SingleBackend;

  constructor(backend: SingleBackend) {
    this.#backend = backend;
  }

  route(_identity: unknown, request: Pick<RouteRequest, "database">): Route {
    const { tablet, account, database } = this.#backend;
    return {
      keyspace: null,
      tabletType: "primary",
      tablet,
      account: account(),
      database: request.database ?? database,
    };
  }
}
