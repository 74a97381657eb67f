// mysql_clear_password: the password in clear. Whether a transport may carry it is decided before this is asked.
// https://dev.mysql.com/doc/refman/8.4/en/cleartext-pluggable-authentication.html

import type { AuthPlugin } from "./auth-plugin.ts";
import { withoutNul } from "./password-exchange.ts";

/** The method of clients whose password is checked elsewhere. */
export const mysqlClearPassword: AuthPlugin = {
  name: "mysql_clear_password",
  usesScramble: false,
  check: () => ({ kind: "none" }),
  accepted: null,
  // biome-ignore lint/correctness/useYield: a conversation without a word of the server is one, too
  converse: async function* ({ attempt, response }) {
    return attempt.matchPassword(withoutNul(response));
  },
};
