// The status page as HTTP replies: a shell without data, whose script asks /api. One nonce per reply; nothing else may
// run, and no text may become markup (Trusted Types).

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AdminReply } from "../admin-routes.ts";
import { pageShell } from "./page-shell.ts";

/** Names of the page's scripts: the first one imports the others. */
export const scriptNames = ["status.js", "panels.js", "denials.js", "draw.js", "answers.js"] as const;

/** The name of one. */
export type ScriptName = (typeof scriptNames)[number];

/** The page's files, read once. */
export interface PageAssets {
  /** The reply with a script. */
  script(name: ScriptName): AdminReply;
}

/** Reads the compiled scripts beside this file; where there are none (sources run uncompiled) they are answered 503. */
export function loadPageAssets(): PageAssets {
  const replies = new Map<ScriptName, AdminReply>();
  for (const name of scriptNames) replies.set(name, scriptReply(name));
  return { script: (name) => replies.get(name) ?? notBuilt };
}

const notBuilt: AdminReply = {
  status: 503,
  contentType: "text/plain; charset=utf-8",
  body: "The page's script is not built: run npm run build\n",
};

function scriptReply(name: ScriptName): AdminReply {
  try {
    const body = readFileSync(new URL(`./client/${name}`, import.meta.url), "utf8");
    return { status: 200, contentType: "text/javascript; charset=utf-8", body };
  } catch {
    return notBuilt;
  }
}

/** The reply with the shell. */
export function pageReply(): AdminReply {
  const nonce = randomBytes(18).toString("base64");
  return {
    status: 200,
    contentType: "text/html; charset=utf-8",
    body: pageShell(nonce),
    contentSecurityPolicy: [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      "img-src data:",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join("; "),
  };
}
