// Which method a login goes on with. What the server says next depends on the client's method, the transport and what
// occurs in the whole users file, never on the user who logs in: packets tell nothing about single users.

import type { DirectoryShape } from "../users/user-directory.ts";

/** The methods that the gateway has. */
export type AuthPluginName =
  | "caching_sha2_password"
  | "mysql_native_password"
  | "sha256_password"
  | "mysql_clear_password";

/** What a choice may depend on. */
export interface Surroundings {
  /** TLS or a unix socket. */
  readonly isSecure: boolean;
  /** Whether mysql_clear_password may be used on this transport. */
  readonly allowsClearText: boolean;
  readonly shape: DirectoryShape;
}

/**
 * The method to switch to when nothing was said yet that could be judged: COM_CHANGE_USER, an empty response, a method
 * that the gateway does not have. There is one switch only, so it is the method that reaches most.
 */
export function pluginToAskFor(
  clientPlugin: AuthPluginName | null,
  { isSecure, allowsClearText, shape }: Surroundings,
): AuthPluginName {
  if (clientPlugin === "sha256_password") return clientPlugin;
  if (clientPlugin === "mysql_clear_password" && allowsClearText) return clientPlugin;
  // A client that prefers the old method may not have another one: it keeps it where it reaches every entry.
  const nativeReachesAll = !shape.hasEntriesBeyondNative;
  if (clientPlugin === "mysql_native_password" && nativeReachesAll) return clientPlugin;
  if (!isSecure && shape.hasNativeOnlyEntries && nativeReachesAll) return "mysql_native_password";
  return "caching_sha2_password";
}

/**
 * The method to switch to when the client's first response, made by `plugin`, fits no entry; null: stay with it.
 *
 * caching_sha2_password goes on to the password in clear wherever that needs no RSA, since it can be checked against
 * every entry. On plain TCP, clients often do not ask for the key by themselves: where some entry can be proven by the
 * old method, that one is asked for; and where there are also entries that it can never prove, sha256_password, which
 * can prove all and makes clients ask for the key.
 */
export function pluginAfterMismatch(
  plugin: AuthPluginName,
  { isSecure, shape }: Surroundings,
): AuthPluginName | null {
  if (plugin === "mysql_native_password") {
    return shape.hasEntriesBeyondNative ? "caching_sha2_password" : null;
  }
  if (plugin === "caching_sha2_password" && !isSecure && shape.hasNativeOnlyEntries) {
    return shape.hasClearOnlyEntries ? "sha256_password" : "mysql_native_password";
  }
  return null;
}

/**
 * Whether the password itself can prove more than the answer that fits no entry. On plain TCP it is not asked for in
 * vain: many clients would end with an error of their own instead of reading that the password was wrong. Over a
 * secure transport it costs nothing.
 */
export function asksForPassword(plugin: AuthPluginName, { isSecure, shape }: Surroundings): boolean {
  const fastReachesAll = !shape.hasNativeOnlyEntries && !shape.hasClearOnlyEntries;
  return plugin !== "caching_sha2_password" || isSecure || !fastReachesAll;
}
