// THE list of authentication methods. Others that clients name (dialog, client_ed25519, ...) are answered with a switch
// to one of these.

import type { AuthPlugin } from "./auth-plugin.ts";
import { cachingSha2Password } from "./caching-sha2-password.ts";
import { mysqlClearPassword } from "./mysql-clear-password.ts";
import { mysqlNativePassword } from "./mysql-native-password.ts";
import type { AuthPluginName } from "./negotiate.ts";
import { sha256Password } from "./sha256-password.ts";

export const authPlugins: Readonly<Record<AuthPluginName, AuthPlugin>> = {
  caching_sha2_password: cachingSha2Password,
  mysql_native_password: mysqlNativePassword,
  sha256_password: sha256Password,
  mysql_clear_password: mysqlClearPassword,
};

/** The method that a client names; null when the gateway does not have it. */
export function findPlugin(name: string): AuthPlugin | null {
  return Object.hasOwn(authPlugins, name) ? authPlugins[name as AuthPluginName] : null;
}
