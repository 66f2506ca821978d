// guest.mjs -- somebody with a browser of their own: what it received, what it complained of, how its pages look.
// SPDX-License-Identifier: Apache-2.0
import axe from "axe-core";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

export const CHROMIUM = {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
        "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
};
// For test/contract: what the browser asked and got, a line each, beside what the tests in C write there (test/record.h).
const RECORDS = process.env.STAGEDOOR_RECORD;
const record = (line) => RECORDS && appendFileSync(join(RECORDS, `browser-${process.pid}.jsonl`), JSON.stringify(line) + "\n");

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const SIZES = [
    { width: 390, height: 844 },
    { width: 1280, height: 860 },
];

// Everything that is on its way has arrived: fonts, pictures in view, movements that end, what stands in for content.
export function isSettled() {
    const inView = (image) => {
        const { top, bottom, width } = image.getBoundingClientRect();
        return width > 0 && bottom > 0 && top < innerHeight;
    };
    return (
        document.readyState === "complete" &&
        document.fonts.status === "loaded" &&
        !document.querySelector(".animate-shimmer, main [role=status] > .sr-only") &&
        [...document.images].every((image) => image.complete || !inView(image)) &&
        document.getAnimations().every((one) => one.playState !== "running" || !isFinite(one.effect?.getComputedTiming().endTime))
    );
}

export class Guest {
    // tell(good, what): how a check ended. looks: whether pages are held against axe and drawn.
    static async arrive(browser, house, { name, scheme, width, tell, looks, folder, counter }) {
        const guest = new Guest();
        const size = SIZES.find((one) => one.width === width);
        guest.context = await browser.newContext({ viewport: size, colorScheme: scheme, reducedMotion: "reduce" });
        Object.assign(guest, { house, name, scheme, size, tell, looks, folder, counter });
        guest.seen = []; // every answer: { url, status, type, body }
        guest.heard = []; // every event of the event stream
        guest.asked = new Map(); // the wire's: number of the request to its address
        guest.said = new Map(); // and to the status that the server gave
        guest.troubles = []; // errors of the console and the page, breaches of the policy
        guest.unread = [];
        guest.allowed = [[401, /./], [402, /./]];
        await guest.context.exposeBinding("stagedoorBreach", (_, breach) => guest.troubles.push(`policy: ${breach}`));
        await guest.context.addInitScript(() => {
            addEventListener("securitypolicyviolation", (event) =>
                window.stagedoorBreach(`${event.violatedDirective} ${event.blockedURI} at ${event.sourceFile}`),
            );
        });
        guest.context.on("response", (response) => guest.unread.push(guest.#keep(response)));
        guest.page = await guest.newPage();
        return guest;
    }

    async newPage() {
        const page = await this.context.newPage();
        page.setDefaultTimeout(30_000);
        page.on("pageerror", (error) => this.troubles.push(`script: ${error.message}`));
        page.on("console", (message) => {
            if (!["error", "warning"].includes(message.type())) return;
            const status = Number(/responded with a status of (\d+)/.exec(message.text())?.[1]);
            const url = message.location().url;
            if (!this.allowed.some(([code, where]) => code === status && where.test(url)))
                this.troubles.push(`console: ${message.text()} (${url}) on ${page.url()}`);
        });
        const wire = await this.context.newCDPSession(page);
        await wire.send("Network.enable");
        wire.on("Network.requestWillBeSent", (event) => this.asked.set(event.requestId, event.request.url));
        wire.on("Network.responseReceivedExtraInfo", (event) => this.said.set(event.requestId, event.statusCode));
        wire.on("Network.eventSourceMessageReceived", (event) => {
            this.heard.push(`${event.eventName} ${event.data}`);
            record({ stream: `id: ${event.eventId}\nevent: ${event.eventName}\ndata: ${event.data}\n\n` });
        });
        return page;
    }

    async #keep(response) {
        const one = { url: response.url(), status: response.status(), type: response.headers()["content-type"] ?? "" };
        this.seen.push(one);
        // The event stream has no end; what it says comes over the wire's own events. Asking for the body of a blob: makes
        // Chromium fetch it, against the page's policy.
        if (!one.url.startsWith("http")) return;
        const bare = one.type.startsWith("text/event-stream") || [204, 304].includes(one.status) || one.status / 100 >> 0 === 3;
        try {
            if (!bare) one.body = await response.body();
            if (RECORDS && one.url.startsWith(this.house.url)) record(await this.#exchange(response, one));
        } catch {
            one.lost = !bare; // the page went away before the whole was there
        }
    }

    // A picture that Chromium has the beginning of is a 200 for the page, with the headers of the 206 that brought the rest.
    // The wire's events come in no order, and may come after the page's; where none says 206, the server did send that 200.
    async #statusOnWire(one, headers) {
        const isPart = () => [...this.said].some(([id, status]) => status === 206 && this.asked.get(id) === one.url);
        if (!headers["content-range"] || one.status === 206) return one.status;
        for (const end = Date.now() + 5_000; !isPart() && Date.now() < end; ) await setTimeout(20);
        return isPart() ? 206 : one.status;
    }

    async #exchange(response, one) {
        const request = response.request();
        const headers = await response.allHeaders();
        const json = (type) => /json/.test(type ?? "");
        return {
            method: request.method(),
            target: one.url.slice(this.house.url.length),
            page: one.type.startsWith("text/html"),
            sent: json(request.headers()["content-type"]) ? request.postData() : null,
            status: await this.#statusOnWire(one, headers),
            type: one.type || null,
            headers,
            reply: json(one.type) ? one.body.toString() : null,
        };
    }

    // This person expects to be refused like this.
    expects(status, where) {
        this.allowed.push([status, where]);
    }

    // Everything received until now, whole. An answer whose page went away is asked for again, in the same session.
    async received() {
        await Promise.all(this.unread);
        for (const one of this.seen.filter((each) => each.lost && each.url.startsWith(this.house.url))) {
            one.body = await (await this.context.request.get(one.url)).body();
            one.lost = false;
        }
        return this.seen;
    }

    // Addresses of signed pictures in anything received: bodies of every kind, addresses, events.
    async signedAddresses() {
        const found = new Set();
        for (const { url, body } of await this.received())
            for (const text of [url, body?.toString("latin1") ?? ""])
                for (const [address] of text.matchAll(/\/m\/[A-Za-z0-9_.~-]+\/ast_[a-z0-9]+\/\w+\.\w+/gi)) found.add(address);
        for (const event of this.heard) if (event.includes("/m/")) found.add(event);
        return [...found];
    }

    go(path) {
        return this.page.goto(path.startsWith("http") ? path : this.house.url + path);
    }

    button(name) {
        return this.page.getByRole("button", { name });
    }

    link(name) {
        return this.page.getByRole("link", { name });
    }

    heading(name) {
        return this.page.getByRole("heading", { name });
    }

    async api(method, path, data) {
        const reply = await this.context.request.fetch(this.house.url + path, {
            method,
            headers: { origin: this.house.url },
            ...(data === undefined ? {} : { data }),
        });
        const text = await reply.text();
        return { status: reply.status(), body: text.startsWith("{") ? JSON.parse(text) : text };
    }

    settled() {
        return this.page.waitForFunction(isSettled);
    }

    // The page in both sizes and both themes: axe finds nothing, nothing hangs over the side, a picture is kept. A page too
    // long for that is looked at in two of the four.
    async look(what, { long = false } = {}) {
        if (!this.looks) return;
        const number = String(++this.counter.n).padStart(2, "0");
        for (const scheme of ["light", "dark"]) {
            for (const size of SIZES) {
                if (long && (scheme === "light") === (size === SIZES[0])) continue;
                await this.page.emulateMedia({ colorScheme: scheme });
                await this.page.setViewportSize(size);
                await this.settled();
                const name = `${number}-${what}-${size.width}-${scheme}`;
                await this.page.screenshot({ path: join(this.folder, `${name}.png`) });
                const found = await this.axe();
                const over = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
                this.tell(found.length === 0 && over <= 0, `looks ${name}`, [...found, ...(over > 0 ? [`${over} px too wide`] : [])].join("\n"));
            }
        }
        await this.page.emulateMedia({ colorScheme: this.scheme });
        await this.page.setViewportSize(this.size);
    }

    async axe() {
        await this.page.evaluate(axe.source);
        const result = await this.page.evaluate(
            (tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"], preload: false }),
            RULES,
        );
        return result.violations.map(
            (one) => `${one.id}: ${one.help}\n` + one.nodes.map((node) => `    ${node.target.join(" ")}: ${node.failureSummary}`).join("\n"),
        );
    }

    // By keyboard alone: Tab until the wanted thing has the focus, which must be seen.
    async tabTo(wanted, most = 60) {
        for (let i = 0; i < most; i++) {
            await this.page.keyboard.press("Tab");
            const there = await wanted.evaluate((element) => element === document.activeElement).catch(() => false);
            if (!there) continue;
            const seen = await wanted.evaluate((element) => {
                const style = getComputedStyle(element);
                return (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
            });
            if (!seen) throw new Error(`the focus on ${wanted} is not seen`);
            return;
        }
        throw new Error(`${wanted} is not reached by the keyboard`);
    }

    async leave() {
        await this.context.close();
    }
}
