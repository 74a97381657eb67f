// What a reply goes through on its way to the client, where it may not go as it is: rows are dropped (row-filter), values
// are changed (row-editor). For almost all replies there is nothing to do.

import type { Identity } from "../identity/identity.ts";
import type { ProxyUserOptions } from "../users/proxy-users.ts";
import { COM_QUERY, COM_STMT_EXECUTE } from "../wire/commands.ts";
import type { CommandInHand } from "./command-in-hand.ts";
import { RowEditor } from "./row-editor.ts";
import { type FilteredSession, filterFor } from "./row-filter.ts";
import { rowTruthOf } from "./told-rows.ts";

/** Takes a reply's bytes in order and gives those that the client gets. */
export interface ReplyFilter {
  /** @throws WireError when the reply makes no sense. */
  push(bytes: Uint8Array): Uint8Array;
}

/** What of a session decides about its replies. */
interface EditedSession extends FilteredSession {
  readonly services: FilteredSession["services"] & { readonly proxyUsers: ProxyUserOptions };
  readonly state: FilteredSession["state"] & { readonly id: number; readonly identity: Identity | null };
  readonly relay: {
    readonly lease: { readonly route: { readonly account: { readonly user: string } } } | null;
  };
}

/** What the reply to a command needs; null: nothing. */
export function replyFilterFor(session: EditedSession, inHand: CommandInHand): ReplyFilter | null {
  const filter = filterFor(session, inHand);
  const editor = inHand.text?.tellsInRows === true ? editorFor(session, inHand) : null;
  if (filter === null || editor === null) return filter ?? editor;
  return { push: (bytes) => editor.push(filter.push(bytes)) };
}

function editorFor({ services, state, relay }: EditedSession, { command }: CommandInHand): RowEditor | null {
  const { identity, id, capabilities } = state;
  const serviceUser = relay.lease?.route.account.user;
  if (identity === null || serviceUser === undefined) return null;
  if (command !== COM_QUERY && command !== COM_STMT_EXECUTE) return null;
  const truth = { identity, connectionId: id, proxyUsers: services.proxyUsers, serviceUser };
  return new RowEditor((columns) => rowTruthOf(columns, truth), command, capabilities);
}
