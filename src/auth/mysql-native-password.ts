// mysql_native_password: one answer of 20 bytes, nothing follows.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_authentication_methods_native_password_authentication.html

import type { AuthPlugin } from "./auth-plugin.ts";

/** The method of MySQL 4.1 to 5.7 and of MariaDB. */
export const mysqlNativePassword: AuthPlugin = {
  name: "mysql_native_password",
  usesScramble: true,
  check: ({ attempt, response, scramble }) => attempt.matchNative(response, scramble),
  accepted: null,
  converse: null,
};
