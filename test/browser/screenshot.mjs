// screenshot.mjs -- the picture of the README, from the demo's people: doc/screenshot.webp.
// SPDX-License-Identifier: Apache-2.0
//
//   node test/browser/screenshot.mjs PROGRAM        fills build/screenshot with the demo first (three minutes)
//   node test/browser/screenshot.mjs http://...     of a program that runs and was filled: ./dev run
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM, isSettled } from "./guest.mjs";
import { House } from "./house.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const given = process.argv[2] ?? "build/stagedoor";
const LOGIN = { email: "maya@example.org", password: "velvet-curtain-7" };
const CREATOR = "theo_ridge"; // whom she pays

let house = null;
let url = given;
if (!given.startsWith("http")) {
    const folder = join(root, "build/screenshot");
    mkdirSync(folder, { recursive: true });
    house = new House(resolve(given), folder);
    await house.open({ fill: true });
    url = house.url;
}
const browser = await chromium.launch(CHROMIUM);

async function shot(path, { scheme, width, height, from = "main", above = 0 }) {
    const context = await browser.newContext({
        viewport: { width, height }, colorScheme: scheme, reducedMotion: "reduce", deviceScaleFactor: 2,
    });
    const reply = await context.request.post(`${url}/v1/sessions`, { data: LOGIN, headers: { origin: url } });
    if (reply.status() !== 201) throw new Error(`the demo's fan cannot log in: ${reply.status()}`);
    const page = await context.newPage();
    await page.goto(url + path);
    await page.getByRole("article").first().waitFor();
    await page.locator(from).first().evaluate((one, by) => scrollBy(0, one.getBoundingClientRect().top - by), above);
    await page.waitForFunction(isSettled);
    const bytes = await page.screenshot();
    await context.close();
    return `data:image/png;base64,${bytes.toString("base64")}`;
}

const wide = await shot(`/@${CREATOR}`, { scheme: "light", width: 1180, height: 800 });
const phone = await shot("/feed", { scheme: "dark", width: 390, height: 780, from: "article:has(img[src*='/m/'])", above: 380 });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
await page.setContent(`<style>
    body { margin: 0; height: 800px; overflow: hidden; position: relative; background: linear-gradient(150deg, #2a1d12, #12100e 70%) }
    img { position: absolute; display: block; box-shadow: 0 30px 70px -20px #000c, 0 0 0 1px #fff2 }
    #wide { left: 48px; top: 56px; width: 1014px; border-radius: 14px }
    #phone { right: 48px; bottom: 40px; width: 316px; border-radius: 34px; box-shadow: 0 30px 70px -10px #000, 0 0 0 9px #0a0807, 0 0 0 10px #fff4 }
</style><img id="wide" src="${wide}"><img id="phone" src="${phone}">`);
await page.waitForFunction(isSettled);
const wire = await page.context().newCDPSession(page);
const { data } = await wire.send("Page.captureScreenshot", {
    format: "webp", quality: 82, clip: { x: 0, y: 0, width: 1280, height: 800, scale: 1.5 },
});
writeFileSync(join(root, "doc/screenshot.webp"), Buffer.from(data, "base64"));
console.log(`doc/screenshot.webp, ${Math.round(data.length * 0.00075)} KB`);
await browser.close();
await house?.close();
