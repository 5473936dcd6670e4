/** Debian's chromium, without a word to anybody but the page's own host. */
import { type Browser, chromium, type Page } from "playwright-core";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

export const startBrowser = (): Promise<Browser> => chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });

/** Goes to the board and logs in; resolves once the form is sent. */
export async function logIn(
  page: Page,
  url: string,
  { user, password }: { readonly user: string; readonly password: string },
): Promise<void> {
  await page.goto(url);
  await page.fill('input[autocomplete="username"]', user);
  await page.fill('input[type="password"]', password);
  await page.click('button[type="submit"]');
}
