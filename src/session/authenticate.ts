// authenticate(): carries the conversation of a login over packets; auth/ decides what is said.

import type { AuthExchange, AuthOutcome } from "../auth/auth-exchange.ts";
import { scrambleBytes } from "../auth/scramble.ts";
import { encodeAuthMoreData } from "../wire/packets/auth-more-data.ts";
import { encodeAuthSwitchRequest } from "../wire/packets/auth-switch-request.ts";
import type { ExchangeFailure, PacketExchange } from "./packet-exchange.ts";
import type { SessionState } from "./session.ts";

/** The outcome, or why the client's next packet did not come. */
export type Conversation =
  | { readonly kind: "outcome"; readonly outcome: AuthOutcome }
  | { readonly kind: "failure"; readonly failure: ExchangeFailure };

const nothing = new Uint8Array(0);

/** Runs `conversation` to its end. `state.scramble` becomes the one that the client was told last. */
export async function authenticate(
  exchange: PacketExchange,
  conversation: AuthExchange,
  state: Pick<SessionState, "scramble">,
): Promise<Conversation> {
  let payload: Uint8Array = nothing;
  for (;;) {
    const progress = conversation.next(payload);
    const next = progress instanceof Promise ? await progress : progress;
    if (next.done === true) return { kind: "outcome", outcome: next.value };
    const step = next.value;
    if (step.kind === "switch") {
      exchange.write(encodeAuthSwitchRequest({ plugin: step.plugin, data: step.data }));
      // A NUL is behind it; methods without a scramble have less, or something else, to say.
      if (step.data.length === scrambleBytes + 1) state.scramble = step.data.slice(0, scrambleBytes);
    } else if (step.expectsReply) {
      exchange.write(encodeAuthMoreData({ data: step.data }));
    } else {
      // The verdict follows at once: both packets leave in one write.
      exchange.hold(encodeAuthMoreData({ data: step.data }));
      payload = nothing;
      continue;
    }
    const packet = await exchange.read();
    if (packet.kind === "failure") {
      return packet;
    }
    payload = packet.payload;
  }
}
