/** Debian's chromium, without a word to anybody but the page's own host. */
import { createHash, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { filesOf, type Place } from "../../deploy/station/place.ts";

const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** `place`: the station whose page it trusts, and no other; null: none. */
export const startBrowser = (place: Place | null = null): Promise<Browser> =>
  chromium.launch({ executablePath: "/usr/bin/chromium", args: [...flags, ...(place === null ? [] : [trustIn(place)])] });

/** As a station's computer trusts its page, but for this browser only. */
function trustIn(place: Place): string {
  const { publicKey } = new X509Certificate(readFileSync(filesOf(place).brokerCertificate));
  const hash = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
  return `--ignore-certificate-errors-spki-list=${hash}`;
}

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
