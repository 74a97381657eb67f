// A gateway whose users come from the program's own store, whose rights are the program's own rules, and whose reports
// go to a server of their own. See docs/how-to/use-as-a-library.md.

import {
  createGateway,
  type Identity,
  type Route,
  type StatementSummary,
  type UsersFileContent,
} from "mysql-gatehouse";

/** Stands for the program's own store of users. */
export class UserStore {
  #passwords = new Map<string, string[]>();
  #changed: () => void = () => {};

  set(user: string, passwords: readonly string[]): void {
    this.#passwords.set(user, [...passwords]);
    this.#changed();
  }

  load(): UsersFileContent {
    return Object.fromEntries(
      [...this.#passwords].map(([user, passwords]) => [
        user,
        passwords.map((Password) => ({ Password, UserData: `${user}_data`, Groups: ["shop"] })),
      ]),
    );
  }

  watch(changed: () => void): () => void {
    this.#changed = changed;
    return () => {
      this.#changed = () => {};
    };
  }
}

/**
 * Reading in the schema `shop`, and what clients ask when they connect. It lists what is allowed, never what is not:
 * what it does not know is denied.
 */
export function authorize({ callerId }: Identity, statement: StatementSummary): "allow" | { deny: string } {
  const harmless = ["SELECT", "SHOW", "SET", "USE", "BEGIN", "COMMIT", "ROLLBACK", "FIELD LIST"];
  if (!harmless.includes(statement.kind) || statement.serverFiles)
    return { deny: `${statement.kind} is not for ${callerId.username}` };
  const named = [...statement.reads, ...statement.routines].map(({ schema }) => schema);
  const schemas = [...named, ...statement.schemas.map(({ name }) => name)];
  const outside = schemas.find((schema) => schema !== "shop");
  if (outside !== undefined) return { deny: `${outside} is not for ${callerId.username}` };
  return statement.assigns.some(({ scope }) => scope === "global" || scope === "persist")
    ? { deny: "Global variables are not for clients" }
    : "allow";
}

/** Starts it. `reports`: where users of the group `reports` are sent. */
export async function startGateway(backend: string, store: UserStore, reports: Route["tablet"] | null) {
  const gateway = await createGateway({
    settings: { mysql_server_port: 0, backend, log_level: "warn" },
    hooks: {
      users: { load: () => store.load(), watch: (changed) => store.watch(changed) },
      authorizer: { authorize },
      router: {
        route: (identity, _request, usual) => {
          const route = usual();
          if (reports === null || !identity.callerId.groups.includes("reports") || !("tablet" in route))
            return route;
          return { ...route, tablet: reports };
        },
      },
    },
  });
  await gateway.start();
  return gateway;
}
