// THE table of audit events: what is recorded, with which fields. Names and meanings are stable: other programs read
// them. docs/audit.md is generated from it.

/** What a field holds in JSON. */
export type AuditFieldType = "string" | "string or null" | "number" | "number or null" | "list of strings";

/** One field. */
export interface AuditField {
  readonly type: AuditFieldType;
  readonly help: string;
}

/** One kind of event. */
export interface AuditEvent {
  readonly help: string;
  readonly fields: Readonly<Record<string, AuditField>>;
}

const connection = {
  connection_id: { type: "number", help: "The gateway's id of the connection, as CONNECTION_ID() tells it" },
  user: { type: "string", help: "The name that the client logs in or logged in with" },
  host: {
    type: "string",
    help: "Where the client comes from: an IP address, or `localhost` for the unix socket",
  },
} as const satisfies Record<string, AuditField>;

const userData = {
  type: "string or null",
  help: "UserData of the entry that accepted the login; null when none did",
} as const satisfies AuditField;

export const auditTable = {
  start: {
    help: "The gateway began to accept connections",
    fields: {
      version: { type: "string", help: "The gateway's version" },
      listening: { type: "list of strings", help: "Addresses and socket paths" },
    },
  },
  stop: {
    help: "The gateway stopped accepting connections",
    fields: { reason: { type: "string", help: "What ended it, e.g. `SIGTERM`" } },
  },
  login: {
    help: "A login was judged, at connect or by COM_CHANGE_USER",
    fields: {
      ...connection,
      origin: { type: "string", help: "`connect` or `change_user`" },
      outcome: { type: "string", help: "`accepted` or `refused`" },
      reason: { type: "string or null", help: "Why it was refused, a stable code; null when accepted" },
      error_code: { type: "number or null", help: "The MySQL error that the client got; null when accepted" },
      port: { type: "number", help: "The client's port; 0 for the unix socket" },
      transport: { type: "string", help: "`tcp` or `unix`" },
      tls: { type: "string or null", help: "`TLSv1.2`, `TLSv1.3`, or null" },
      plugin: { type: "string", help: "The authentication plugin that decided" },
      user_data: userData,
      groups: { type: "list of strings", help: "Groups of the entry that accepted the login" },
      entry: { type: "string or null", help: "The entry that accepted the login, as `user[index]`" },
      entry_fingerprint: {
        type: "string or null",
        help: "Names the entry over reloads that leave it unchanged; tells nothing about its secrets",
      },
      users_generation: {
        type: "number or null",
        help: "Generation of the users file that judged the login",
      },
      base_entry: {
        type: "string or null",
        help: "The entry of the base user that a proxy user was mapped to, as `user[index]`: user_data and groups are its; null when not mapped",
      },
      spiffe_id: {
        type: "string or null",
        help: "The verified SPIFFE id that the entry demanded; of a refused login, the one that a verified certificate holds",
      },
      certificate_serial: {
        type: "string or null",
        help: "Serial number of the client's certificate, verified or not; null when none was presented",
      },
      certificate_issuer: { type: "string or null", help: "The issuer that the certificate names" },
      certificate_not_after: { type: "string or null", help: "When the certificate ends (RFC 3339)" },
    },
  },
  refusal: {
    help: "A command of a logged-in client was refused",
    fields: {
      ...connection,
      user_data: userData,
      command: { type: "string", help: "The protocol command, e.g. `COM_QUERY`" },
      statement_kind: {
        type: "string or null",
        help: "The head of the statement, e.g. `SELECT`; never its text",
      },
      error_code: { type: "number", help: "The MySQL error that the client got" },
      reason: { type: "string", help: "Why" },
    },
  },
  denial: {
    help: "The table ACL denied a statement, or would have in a dry run",
    fields: {
      ...connection,
      user_data: userData,
      groups: { type: "list of strings", help: "Groups of the entry that accepted the login" },
      command: { type: "string", help: "The protocol command, e.g. `COM_QUERY`" },
      outcome: { type: "string", help: "`denied`, or `dry_run`: it ran all the same" },
      statement_kind: { type: "string", help: "The head of the statement, e.g. `SELECT`; never its text" },
      object: {
        type: "string",
        help: "What was wanted: `table`, `routine`, `schema`, `server`, `accounts`; `text`: it could not be judged",
      },
      name: { type: "string or null", help: "Its name, e.g. `shop.orders`" },
      role: { type: "string or null", help: "`reader`, `writer`, `admin` or `executor`" },
      rule_group: { type: "string or null", help: "The group that decided; null: no entry names the object" },
      rule_entry: { type: "string or null", help: "The entry of that group" },
      rule_list: {
        type: "string or null",
        help: "The list that decided, e.g. `deny_readers`; null: no list names a principal of the user",
      },
      rule_principal: { type: "string or null", help: "The principal in that list" },
      error_code: { type: "number", help: "The MySQL error of the denial" },
      reason: { type: "string", help: "A sentence for people" },
    },
  },
  accounts: {
    help: "A statement about the server's accounts was relayed: they are not the users of the gateway",
    fields: {
      ...connection,
      user_data: userData,
      command: { type: "string", help: "The protocol command, e.g. `COM_QUERY`" },
      statement_kind: { type: "string", help: "E.g. `CREATE USER`; never its text" },
    },
  },
  kill: {
    help: "A KILL was answered",
    fields: {
      ...connection,
      user_data: userData,
      scope: { type: "string", help: "`connection` or `query`" },
      target_id: {
        type: "number or null",
        help: "The connection meant; null when it was not a plain number",
      },
      outcome: { type: "string", help: "`done`, `unknown_id` or `denied`" },
    },
  },
  disconnect: {
    help: "The gateway ended a logged-in client's connection by its own decision",
    fields: {
      ...connection,
      user_data: userData,
      reason: {
        type: "string",
        help: "A stable code, e.g. `entry_removed`, `idle_timeout`, `shutdown`, `killed`",
      },
    },
  },
  operator: {
    help: "Somebody asked over admin HTTP, with the token, that something be changed",
    fields: {
      action: { type: "string", help: "`end_session`" },
      from: { type: "string", help: "The asker's address" },
      outcome: { type: "string", help: "`done` or `unknown_id`" },
      connection_id: connection.connection_id,
      user: {
        type: "string or null",
        help: "The name that the session logged in with; null: none yet, or no session",
      },
      host: { type: "string or null", help: "Where its client comes from; null: no session" },
      user_data: userData,
    },
  },
  reload: {
    help: "A watched file changed and was loaded, or was not",
    fields: {
      file: { type: "string", help: "What the file is, e.g. `users file`" },
      path: { type: "string", help: "Where it is" },
      trigger: { type: "string", help: "`file watch`, `interval` or `SIGHUP`" },
      outcome: {
        type: "string",
        help: "`reloaded` or `failed`; after a failure the older content stays in use",
      },
      generation: { type: "number", help: "The generation now in use" },
      added: { type: "list of strings", help: "Names of what is new" },
      removed: { type: "list of strings", help: "Names of what is gone" },
      changed: { type: "list of strings", help: "Names of what is different" },
      problems: { type: "list of strings", help: "What is wrong, each with line and column" },
    },
  },
} as const satisfies Record<string, AuditEvent>;
