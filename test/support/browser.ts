// Debian's Chromium, driven without a window; null where there is none.
import { accessSync, constants } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const executablePath = process.env.GATEHOUSE_TEST_CHROMIUM ?? "/usr/bin/chromium";

/** Whether a browser is there; tests without one are skipped visibly. */
export const hasBrowser: boolean = (() => {
  try {
    accessSync(executablePath, constants.X_OK);
    return true;
  } catch {
    return false;
  }
})();

/** Starts it, with a profile of its own that goes with it, and nothing that it asks of the network by itself. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
