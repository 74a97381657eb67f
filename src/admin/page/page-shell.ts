// The status page's markup: landmarks, headings and empty tables that the script fills. It holds no data and no name
// that anybody chose; only the nonce varies.

import { pageStyle } from "./page-style.ts";

const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%232a78d6' d='M1 15V6l3-3h8l3 3v9h-5v-4a2 2 0 0 0-4 0v4z'/%3E%3C/svg%3E";

interface Column {
  readonly head: string;
  readonly numeric?: boolean;
}

const text = (head: string): Column => ({ head });
const number = (head: string): Column => ({ head, numeric: true });

function table(id: string, caption: string, columns: readonly Column[]): string {
  const heads = columns.map(
    ({ head, numeric }) => `<th scope="col"${numeric ? ' class="number"' : ""}>${head}</th>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
<table id="${id}"><caption class="spoken">${caption}</caption><thead><tr>${heads.join("")}</tr></thead><tbody></tbody></table>
</div><p class="empty" id="${id}-empty" hidden></p>`;
}

function chart(id: string, title: string): string {
  return `<figure class="chart" id="chart-${id}"><figcaption>${title}</figcaption></figure>`;
}

const sessionColumns = [
  number("Id"),
  text("User"),
  text("Acts as"),
  text("From"),
  text("Program"),
  text("Doing"),
  number("For"),
  text("Schema"),
  text("Holds"),
  { head: '<span class="spoken">End the session</span>' },
];
const userColumns = [
  text("Entry"),
  text("Acts as"),
  text("Password kept as"),
  text("Last login"),
  number("Live sessions"),
  number("Logins"),
  text("Counted since"),
];
const denialColumns = [
  text("Rule"),
  text("What"),
  text("Wanted"),
  text("By"),
  text("Last from"),
  number("Times"),
  text("Last"),
  { head: '<span class="spoken">Explain the denial</span>' },
];
const tabletColumns = [
  text("Server"),
  text("State"),
  text("Version"),
  text("Account"),
  number("In use"),
  number("Idle"),
  number("Waiting"),
  number("Limit"),
];
const fileColumns = [text("File"), text("State"), number("Generation"), text("Loaded"), text("Path")];
const certificateColumns = [text("What"), text("Valid until"), text("File or server")];

/** The page. `nonce` allows its own style and script. */
export function pageShell(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Gatehouse</title>
<link rel="icon" href="${icon}">
<style nonce="${nonce}">${pageStyle}</style>
<script type="module" nonce="${nonce}" src="/status.js"></script>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<h1>Gatehouse <small id="version"></small></h1>
<p id="state" class="state" role="status"><span class="mark" aria-hidden="true"></span><span id="state-text">Asking…</span></p>
<p class="side"><span id="updated"></span> <button type="button" id="pause" aria-pressed="false">Pause</button>
<button type="button" id="token-button">Token</button></p>
</header>
<main id="main" tabindex="-1">
<noscript><p class="notice">This page needs its script. The same numbers are at <a href="/metrics">/metrics</a> and under /api.</p></noscript>
<ul id="notices" class="notices" hidden></ul>
<section aria-labelledby="h-traffic"><h2 id="h-traffic">Traffic</h2>
<div class="charts">${chart("commands", "Commands")}${chart("latency", "Time per command")}${chart("logins", "Logins and denials by the table ACL")}${chart("sessions", "Sessions")}${chart("bytes", "Bytes")}${chart("process", "Event loop")}</div>
</section>
<section aria-labelledby="h-sessions"><div class="head"><h2 id="h-sessions">Sessions</h2><p id="sessions-count" class="count"></p>
<label for="sessions-user">Only user</label><input id="sessions-user" type="search" autocomplete="off" spellcheck="false"></div>
${table("sessions", "Live sessions, busy ones first", sessionColumns)}</section>
<section aria-labelledby="h-users"><div class="head"><h2 id="h-users">Users and rotation</h2><p id="users-count" class="count"></p>
<label for="users-filter">Only users with</label><input id="users-filter" type="search" autocomplete="off" spellcheck="false"></div>
${table("users", "Entries of the users file", userColumns)}</section>
<section aria-labelledby="h-denials"><div class="head"><h2 id="h-denials">Denied by the table ACL</h2><p id="denials-count" class="count"></p></div>
${table("denials", "Denials by rule, the latest first", denialColumns)}</section>
<section aria-labelledby="h-tablets"><h2 id="h-tablets">Database servers</h2>
${table("tablets", "Database servers and their connection pools", tabletColumns)}</section>
<section aria-labelledby="h-files"><h2 id="h-files">Files</h2>${table("files", "Watched files", fileColumns)}</section>
<section aria-labelledby="h-certificates"><h2 id="h-certificates">Certificates</h2>
${table("certificates", "Certificates and their expiry", certificateColumns)}</section>
</main>
<footer><p>Raw data: <a href="/metrics">metrics</a>, <a href="/readyz">readiness</a>. Started <span id="started"></span>.</p></footer>
<p id="announce" class="spoken" role="status"></p>
<dialog id="end-dialog" aria-labelledby="end-title"><form method="dialog" id="end-form">
<h2 id="end-title">End this session?</h2><p id="end-text"></p>
<p>Its client loses the connection; its statement is cancelled and its transaction rolled back.</p>
<p class="error" id="end-error" role="alert"></p>
<p class="buttons"><button type="button" id="end-cancel">Leave it</button> <button type="submit" class="danger">End it</button></p>
</form></dialog>
<dialog id="explain-dialog" aria-labelledby="explain-title"><form method="dialog">
<h2 id="explain-title">Why it was denied</h2><p id="explain-what"></p><ul id="explain-lines"></ul>
<p class="buttons"><button type="submit">Close</button></p>
</form></dialog>
<dialog id="token-dialog" aria-labelledby="token-title"><form method="dialog" id="token-form">
<h2 id="token-title">Admin token</h2>
<p id="token-why">The token in the file of --admin_token_file. It stays in this page's memory until you close or reload it.</p>
<p><label for="token">Token</label> <input id="token" type="password" autocomplete="off" spellcheck="false"></p>
<p class="buttons"><button type="button" id="token-cancel">Cancel</button> <button type="submit">Use it</button></p>
</form></dialog>
</body>
</html>
`;
}
