// house.mjs -- a program and its sandbox on free ports and empty folders, for the browser test; its mails.
// SPDX-License-Identifier: Apache-2.0
import { execFile, spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";

// What is waited for is a condition, looked at often; never a time.
export async function until(what, look, ms = 20_000) {
    const end = Date.now() + ms;
    for (;;) {
        const found = await look();
        if (found) return found;
        if (Date.now() > end) throw new Error(`${what}: not within ${ms / 1000} s`);
        await new Promise((done) => setTimeout(done, 40));
    }
}

function freePort() {
    return new Promise((done) => {
        const probe = http.createServer().listen(0, "127.0.0.1", () => {
            const { port } = probe.address();
            probe.close(() => done(port));
        });
    });
}

function answers(url) {
    return new Promise((done) => {
        http.get(url, (reply) => {
            reply.resume();
            done(reply.statusCode === 200);
        }).on("error", () => done(false));
    });
}

// The text of a mail: its lines are quoted-printable, and a link may be broken over several.
function textOf(mail) {
    const plain = /^content-transfer-encoding: *quoted-printable/im.test(mail)
        ? mail.replace(/=\r?\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
        : mail;
    return plain;
}

export class House {
    // database: a PostgreSQL URL, or nothing for SQLite.
    constructor(program, folder, database) {
        Object.assign(this, { program, folder, database, children: [] });
        this.data = join(folder, "data");
    }

    // fill: with the demo's people, which takes a minute; what it says of their logins is the result.
    async open({ fill = false } = {}) {
        rmSync(this.data, { recursive: true, force: true });
        mkdirSync(this.data, { recursive: true });
        const [port, sandboxPort] = [await freePort(), await freePort()];
        this.url = `http://127.0.0.1:${port}`;
        this.sandbox = `http://127.0.0.1:${sandboxPort}`;
        await this.#start("sandbox", this.sandbox, [
            `--data=${join(this.data, "sandbox")}`,
            `--http.port=${sandboxPort}`,
            `--sandbox.webhook_url=${this.url}/v1/webhooks/stripe`,
        ]);
        const settings = [
            `--data=${this.data}`,
            "--development=true",
            `--http.port=${port}`,
            `--payment.stripe_url=${this.sandbox}`,
            ...(this.database ? [`--database.url=${this.database}`] : []),
        ];
        const said = fill
            ? await promisify(execFile)(this.program, ["demo", ...settings], { maxBuffer: 1 << 26 })
            : { stdout: "" };
        await this.#start("serve", this.url, settings);
        return said.stdout;
    }

    async #start(verb, url, args) {
        const log = openSync(join(this.folder, `${verb}.log`), "w");
        const child = spawn(this.program, [verb, ...args], { stdio: ["ignore", log, log] });
        this.children.push(child);
        await until(`${verb} answers`, () => {
            if (child.exitCode !== null)
                throw new Error(`${verb} does not start:\n${readFileSync(join(this.folder, `${verb}.log`), "utf8")}`);
            return answers(`${url}/livez`);
        });
    }

    // So many open event streams of somebody with these cookies.
    streams(count, cookies) {
        const headers = { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") };
        const open = () =>
            new Promise((done, fail) => {
                const request = http.get(`${this.url}/v1/events`, { headers, agent: false }, (reply) => {
                    reply.on("error", () => {}); // it is ended by us
                    if (reply.statusCode === 200) reply.once("data", () => done(request));
                    else fail(new Error(`an event stream was answered with ${reply.statusCode}`));
                });
                request.on("error", fail);
            });
        return Promise.all(Array.from({ length: count }, open));
    }

    // The link in the newest mail to somebody that leads to this page.
    mailedLink(address, path) {
        const folder = join(this.data, "mail");
        return until(`a mail to ${address} with ${path}`, () => {
            let names = [];
            try {
                names = readdirSync(folder).filter((name) => !name.startsWith(".")).sort().reverse();
            } catch {
                return null; // no mail was sent yet
            }
            for (const name of names) {
                const mail = textOf(readFileSync(join(folder, name), "utf8"));
                const link = new RegExp(`${this.url}${path}\\?token=[A-Za-z0-9_.~-]+`).exec(mail);
                if (link && mail.includes(address)) return link[0];
            }
            return null;
        });
    }

    // Stopped in order, each waited for; what does not end well is told.
    async close() {
        const ends = [];
        for (const child of this.children.reverse()) {
            if (child.exitCode === null && child.signalCode === null) {
                const ended = new Promise((done) => child.once("exit", done));
                child.kill("SIGTERM");
                await ended;
            }
            ends.push(child.exitCode === 0);
        }
        this.children = [];
        return ends.every(Boolean);
    }
}
