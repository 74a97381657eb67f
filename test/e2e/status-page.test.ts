// The status page in a real browser, on a real gateway: it shows what happens, ends sessions, and takes nothing that a
// client or a file says for markup. Screenshots go to test-output/.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, launchBrowser } from "../support/browser.ts";
import { createAuthority } from "../support/certificates.ts";
import type { DatabaseServer } from "../support/database-server.ts";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { startGateway } from "../support/gateway-process.ts";
import { startMariadb } from "../support/mariadb-server.ts";
import { loggedIn, login } from "../support/raw/login.ts";
import type { RawClient } from "../support/raw/raw-client.ts";
import { scratchFolder, waitUntil } from "../support/scratch.ts";

const output = resolve(import.meta.dirname, "../../test-output");
const token = "page-test-token";
const evilUser = `<img src=x onerror="window.hit=1">`;
const evilData = `"><script>window.hit=2</script>`;
const evilProgram = `<svg onload="window.hit=3">\u202e`;
const password = "p-secret";

let server: DatabaseServer;
let gateway: GatewayProcess;
let browser: Browser;
let killed = false;

/** As much of the browser's world as the functions below use that run there. */
declare const document: {
  getElementById(id: string): { readonly textContent: string | null } | null;
  querySelector(selector: string): { getAttribute(name: string): string | null } | null;
  readonly activeElement: { getAttribute(name: string): string | null } | null;
  createElement(name: "img"): { src: string };
  readonly documentElement: { readonly scrollWidth: number };
  readonly body: { append(element: unknown): void };
  addEventListener(
    event: "securitypolicyviolation",
    listener: (event: { readonly violatedDirective: string; readonly blockedURI: string }) => void,
  ): void;
};

/** What the page must never do. */
interface Trouble {
  readonly messages: string[];
}

async function openPage(
  options: { colorScheme?: "light" | "dark" } = {},
): Promise<{ page: Page; trouble: Trouble }> {
  const context = await browser.newContext({ viewport: { width: 1360, height: 1000 }, ...options });
  const page = await context.newPage();
  const trouble: Trouble = { messages: [] };
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    // The browser itself logs every answer that is not 2xx.
    if (!message.text().startsWith("Failed to load resource")) trouble.messages.push(message.text());
  });
  page.on("pageerror", (error) => trouble.messages.push(String(error)));
  page.on("request", (request) => {
    const url = new URL(request.url());
    const own = url.protocol === "data:" || url.host === `127.0.0.1:${gateway.adminPort}`;
    if (!own) trouble.messages.push(`asks elsewhere: ${request.url()}`);
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  await page.goto(`http://127.0.0.1:${gateway.adminPort}/`);
  return { page, trouble };
}

async function giveToken(page: Page): Promise<void> {
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#token-dialog", { state: "hidden" });
  await page.waitForFunction(
    () => document.getElementById("state-text")?.textContent === "Ready for clients",
  );
}

describe.skipIf(!hasBrowser)("the status page", () => {
  const clients: RawClient[] = [];
  const connect = async (user: string, attributes: Record<string, string> = {}) => {
    const client = await loggedIn(
      { port: gateway.port },
      { user, password, plugin: "mysql_native_password", database: "shop", attributes },
    );
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    mkdirSync(output, { recursive: true });
    server = await startMariadb({ skipNetworking: true });
    const folder = scratchFolder("page");
    const tokenFile = join(folder, "token");
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    const acl = join(folder, "acl.json");
    const { cert, key } = createAuthority("Page CA").issue({ commonName: "page.example", days: 20 });
    const groups = [
      { name: "orders", table_names_or_prefixes: ["shop.orders"], readers: ["app_rw"] },
      { name: "rest", table_names_or_prefixes: ["shop.%"], readers: ["*"], deny_writers: ["reporting"] },
    ];
    writeFileSync(acl, JSON.stringify({ table_groups: groups }));
    gateway = await startGateway({
      backend: server,
      users: {
        app: [
          { Password: password, UserData: "app_rw", Groups: ["web"] },
          { Password: "next-secret", UserData: "app_rw", NotAfter: "2099-01-01T00:00:00Z" },
        ],
        reporting: [{ Password: password }],
        [evilUser]: [{ Password: password, UserData: evilData }],
      },
      flags: {
        admin_token_file: tokenFile,
        table_acl_config: acl,
        mysql_server_ssl_cert: cert,
        mysql_server_ssl_key: key,
      },
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await browser?.close();
    if (!killed) await gateway?.stop();
    await server?.stop();
  });

  it("asks for the token, shows what is there, and follows it", async () => {
    const { page, trouble } = await openPage();
    await page.waitForSelector("#token-dialog[open]");
    await page.screenshot({ path: join(output, "status-page-token.png") });
    await page.fill("#token", "wrong");
    await page.keyboard.press("Enter");
    await page.waitForFunction(
      () => document.getElementById("state-text")?.textContent === "The token is wrong",
    );
    await page.click("#token-button");
    await giveToken(page);
    expect(await page.locator("#tablets tbody tr").count()).toBe(1);
    expect(await page.locator("#files tbody tr").allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringContaining("users file"), expect.stringContaining("admin token")]),
    );
    expect(await page.locator("#users tbody tr").count()).toBe(4);
    expect(await page.locator("#users tbody tr", { hasText: "app[1]" }).innerText()).toContain(
      "until 2099-01-01 00:00:00 UTC",
    );

    expect(await page.locator("#certificates tbody tr").allInnerTexts()).toEqual([
      expect.stringMatching(/server certificate\s+CN=page\.example\s+.*UTC\s+(19|20) d left/),
    ]);

    await connect("reporting", { program_name: "monthly report" });
    const busy = await connect("app", { program_name: "shop frontend" });
    void busy.query("SELECT SLEEP(60)").catch(() => {});
    for (let round = 0; round < 3; round++)
      await login({ port: gateway.port }, { user: "app", password: "no" });
    await page.waitForSelector("#sessions tbody tr:nth-child(2)");
    await page.waitForSelector("#sessions tbody tr.busy");
    const rows = await page.locator("#sessions tbody tr").allInnerTexts();
    expect(rows[0]).toContain("shop frontend");
    expect(rows[0]).toContain("QUERY");
    expect(rows[0]).toContain("app_rw");
    expect(rows[1]).toContain("monthly report");
    // At least three points, so that lines are lines.
    await page.waitForFunction(
      () =>
        (document.querySelector("#chart-sessions path.first")?.getAttribute("d") ?? "").split("L").length > 3,
    );
    await page.screenshot({ path: join(output, "status-page-light.png"), fullPage: true });
    expect(trouble.messages).toEqual([]);
    await page.context().close();
  });

  it("ends a session with the keyboard alone", async () => {
    const victim = await connect("reporting", { program_name: "victim" });
    const { page, trouble } = await openPage();
    await page.waitForSelector("#token-dialog[open]");
    await page.keyboard.press("Escape");
    await page.click("#token-button");
    await giveToken(page);
    await page.fill("#sessions-user", "reporting");
    const row = page.locator("#sessions tbody tr", { hasText: "victim" });
    await row.locator("button").focus();
    expect(await row.locator("button").getAttribute("aria-label")).toMatch(
      /^End session \d+ of reporting from/,
    );
    await page.keyboard.press("Enter");
    await page.waitForSelector("#end-dialog[open]");
    await page.screenshot({ path: join(output, "status-page-end.png") });
    await page.locator("#end-form [type=submit]").focus();
    await page.keyboard.press("Enter");
    await victim.readToEnd();
    await row.waitFor({ state: "detached" });
    expect(await page.locator("#announce").innerText()).toMatch(/^Session \d+ was ended$/);
    const audit = await gateway.waitForRecord((record) => record.audit === "operator", "the audit record");
    expect(audit).toMatchObject({
      action: "end_session",
      outcome: "done",
      user: "reporting",
      from: "127.0.0.1",
    });
    await gateway.waitForRecord((record) => record.reason === "ended_by_operator", "the disconnect record");
    expect(trouble.messages).toEqual([]);
    await page.context().close();
  });

  it("keeps the focus on a session's button while rows come, go and change places", async () => {
    const elder = await connect("app", { program_name: "elder" });
    const chosen = await connect("app", { program_name: "chosen" });
    const { page, trouble } = await openPage();
    await page.waitForSelector("#token-dialog[open]");
    await giveToken(page);
    const rowOf = (program: string) => page.locator("#sessions tbody tr", { hasText: program });
    const button = rowOf("chosen").locator("button");
    const label = (await button.getAttribute("aria-label")) ?? "";
    expect(label).toMatch(/^End session \d+ of app/);
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    await button.focus();

    elder.destroy();
    await rowOf("elder").waitFor({ state: "detached" });
    expect(await focused()).toBe(label);
    // Busy sessions stand first: the row moves past others.
    await connect("app", { program_name: "another" });
    void chosen.query("SELECT SLEEP(60)").catch(() => {});
    await page.waitForSelector("#sessions tbody tr.busy", { state: "attached" });
    await rowOf("chosen").and(page.locator(".busy")).waitFor();
    await rowOf("another").waitFor();
    expect(await focused()).toBe(label);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#end-dialog[open]");
    expect(trouble.messages).toEqual([]);
    chosen.destroy();
    await page.context().close();
  });

  it("takes nothing for markup that clients and files say", async () => {
    await connect(evilUser, { program_name: evilProgram });
    const { page, trouble } = await openPage({ colorScheme: "dark" });
    await page.waitForSelector("#token-dialog[open]");
    await giveToken(page);
    const row = page.locator("#sessions tbody tr", { hasText: "onerror" });
    await row.waitFor();
    const text = await row.innerText();
    expect(text).toContain(evilUser);
    expect(text).toContain(evilData);
    expect(text).toContain(`<svg onload="window.hit=3">\\u{202e}`);
    expect(await page.locator("#users tbody tr", { hasText: "onerror" }).innerText()).toContain(evilData);
    expect(await page.locator("main img, main script, td svg").count()).toBe(0);
    await row.locator("button").click();
    expect(await page.locator("#end-text").innerText()).toContain(evilUser);
    await page.click("#end-cancel");
    expect(await page.evaluate(() => (globalThis as unknown as { hit?: number }).hit)).toBeUndefined();
    expect(trouble.messages).toEqual([]);
    await page.screenshot({ path: join(output, "status-page-dark.png"), fullPage: true });
    // Proof that the watch over the policy sees anything at all.
    await page.evaluate(() => {
      const image = document.createElement("img");
      image.src = "http://127.0.0.1:1/x.png";
      document.body.append(image);
    });
    await waitUntil(
      () => trouble.messages.some((message) => message.includes("policy violated")),
      "a violation",
    );
    await page.context().close();
  });

  it("explains what the table ACL has denied, by rule", async () => {
    const client = await connect("reporting");
    const evil = await connect(evilUser);
    await client.query("SELECT * FROM orders").catch(() => {});
    await client.query("SELECT * FROM orders").catch(() => {});
    await client.query("INSERT INTO log VALUES ('secret-literal')").catch(() => {});
    await evil.query("INSERT INTO `<img src=x onerror='window.hit=4'>` VALUES (1)").catch(() => {});
    const { page, trouble } = await openPage();
    await page.waitForSelector("#token-dialog[open]");
    await giveToken(page);
    const rows = page.locator("#denials tbody tr");
    await page.waitForSelector("#denials tbody tr:nth-child(3)");
    const texts = await rows.allInnerTexts();
    expect(texts.join("\n")).not.toContain("secret-literal");
    const orders = rows.filter({ hasText: "shop.orders" });
    expect(await orders.innerText()).toMatch(
      /orders: shop\.orders[\s\S]*SELECT as reader[\s\S]*reporting[\s\S]*2/,
    );
    expect(await rows.filter({ hasText: "deny_writers has reporting" }).count()).toBe(1);
    const legend = page.locator("#chart-logins .third");
    await legend.first().waitFor();
    expect(await legend.first().innerText()).toContain("denied");
    const headers = { Authorization: `Bearer ${token}` };
    const url = `http://127.0.0.1:${gateway.adminPort}/api/history`;
    await waitUntil(async () => {
      const { points } = (await (await fetch(url, { headers })).json()) as { points: { denials: number }[] };
      return points.some(({ denials }) => denials > 0);
    }, "denials in the history");
    const button = orders.locator("button");
    expect(await button.getAttribute("aria-label")).toBe(
      "Explain why SELECT as reader on shop.orders was denied to reporting",
    );
    await button.focus();
    await page.keyboard.press("Enter");
    const lines = await page.locator("#explain-dialog[open] li").allInnerTexts();
    expect(lines).toEqual([
      'The principals of the login are "reporting", and "*" which everybody has',
      'Entry "shop.orders" of group "orders" decides about table \'shop.orders\' and lists no principal of the user as reader',
      'Its readers: "app_rw"',
      'To allow it, add "reporting" to the readers of group "orders"',
    ]);
    await page.screenshot({ path: join(output, "status-page-explain.png") });
    await page.keyboard.press("Enter");
    await page.waitForSelector("#explain-dialog", { state: "hidden" });
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.evaluate(() => (globalThis as unknown as { hit?: number }).hit)).toBeUndefined();
    expect(trouble.messages).toEqual([]);
    await page.setViewportSize({ width: 400, height: 800 });
    // Wide tables scroll within themselves.
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
    await page.screenshot({ path: join(output, "status-page-narrow.png"), fullPage: true });
    await page.context().close();
  });

  it("says when the gateway has a bad file, and when it is gone", async () => {
    const { page } = await openPage();
    await page.waitForSelector("#token-dialog[open]");
    await giveToken(page);
    const { usersFile } = gateway;
    writeFileSync(usersFile, '{ "app": [ { "Pasword": "x" } ] }');
    await page.waitForSelector("#notices .bad");
    expect(await page.locator("#notices").innerText()).toContain("users file on disk cannot be loaded");
    expect(await page.locator("#files td.bad").innerText()).toContain("An older content is in use");
    await page.screenshot({ path: join(output, "status-page-bad-file.png"), fullPage: true });
    killed = true;
    await gateway.kill();
    await page.waitForFunction(
      () => document.getElementById("state-text")?.textContent === "The gateway does not answer",
    );
    await page.context().close();
  });
});
