// stripe_sdk.mjs -- the official SDK of Stripe as the judge of the sandbox: requests, errors, retries, webhooks.
// SPDX-License-Identifier: Apache-2.0
//
//   node test/stripe_sdk.mjs PROGRAM      (build/debug-gcc/stagedoor)
//
// The SDK is a tool of this test alone: it is installed into build/node/stripe at its first run, never into web/. The
// sandbox is started on a free port with a fresh folder, killed half-way with SIGKILL, and must still know everything.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, mkdirSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const VERSION = "23.1.0";
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const program = resolve(process.argv[2] ?? join(root, "build/stagedoor"));
const KEY = "sk_test_stagedoor";

async function loadSdk() {
    const home = join(root, "build/node/stripe");
    const entry = join(home, "node_modules/stripe/esm/stripe.esm.node.js");
    if (!existsSync(entry)) {
        mkdirSync(home, { recursive: true });
        execFileSync("npm", ["install", "--prefix", home, "--no-audit", "--no-fund", "--no-save", `stripe@${VERSION}`], {
            stdio: ["ignore", "ignore", "inherit"],
        });
    }
    return (await import(entry)).default;
}

// --- the sandbox, and a receiver of webhooks ---------------------------------------------------------------------

const folder = mkdtempSync(join(tmpdir(), "stagedoor-sdk-"));
const received = [];
let refuse = 0; // how many deliveries to answer with 500 first
const receiver = http.createServer((request, reply) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
        const good = refuse-- <= 0;
        if (good) received.push({ body: Buffer.concat(parts), signature: request.headers["stripe-signature"] });
        reply.writeHead(good ? 200 : 500).end();
    });
});

function freePort() {
    return new Promise((done) => {
        const probe = http.createServer().listen(0, "127.0.0.1", () => {
            const { port } = probe.address();
            probe.close(() => done(port));
        });
    });
}

let child;
async function startSandbox(port, hook) {
    child = spawn(program, ["sandbox", `--data=${folder}`, `--http.port=${port}`, `--sandbox.webhook_url=${hook}`,
        "--sandbox.webhook_secret=whsec_of_the_test", "--log.level=warn"], { stdio: ["ignore", "inherit", "inherit"] });
    for (let i = 0; i < 100; i++) {
        if (await fetch(`http://127.0.0.1:${port}/livez`).then((r) => r.ok, () => false)) return;
        await new Promise((done) => setTimeout(done, 50));
    }
    throw new Error("the sandbox did not start");
}

function stopSandbox(signal) {
    return new Promise((done) => {
        child.once("exit", done);
        child.kill(signal);
    });
}

async function until(what, limit_ms = 10000) {
    for (const end = Date.now() + limit_ms; Date.now() < end; await new Promise((done) => setTimeout(done, 20))) {
        const found = await what();
        if (found) return found;
    }
    throw new Error(`not within ${limit_ms} ms: ${what}`);
}

// --- the tests ----------------------------------------------------------------------------------------------------

const tests = [];
const test = (name, run) => tests.push({ name, run });
const refused = (promise, type, code) =>
    assert.rejects(promise, (error) => {
        assert.equal(error.type, type);
        if (code !== undefined) assert.equal(error.code, code);
        return true;
    });

// Browsers follow the redirect; here we look where it leads.
async function pressPay(url, card, more = {}) {
    const body = new URLSearchParams({ number: card, expiry: "12 / 34", cvc: "123", name: "Fan", ...more });
    return fetch(url, { method: "POST", body, redirect: "manual" });
}

const page = (extra = {}) => ({
    mode: "payment",
    line_items: [{ quantity: 1, price_data: { currency: "eur", unit_amount: 500, product_data: { name: "Tier" } } }],
    success_url: "http://127.0.0.1:1/ok?session={CHECKOUT_SESSION_ID}",
    cancel_url: "http://127.0.0.1:1/no",
    client_reference_id: "pay_1",
    ...extra,
});

test("customers: create, retrieve, update, list, delete", async ({ stripe }) => {
    const made = await stripe.customers.create({ email: "fan@example.org", name: "Fän ☺", metadata: { payer: "usr_1" } });
    assert.match(made.id, /^cus_/);
    assert.equal(made.name, "Fän ☺");
    const changed = await stripe.customers.update(made.id, { name: "Other", metadata: { more: "x" } });
    assert.deepEqual({ ...changed.metadata }, { payer: "usr_1", more: "x" });
    assert.equal((await stripe.customers.retrieve(made.id)).email, "fan@example.org");
    assert.ok((await stripe.customers.list({ email: "fan@example.org" })).data.some((c) => c.id === made.id));
    assert.equal((await stripe.customers.del(made.id)).deleted, true);
    assert.equal((await stripe.customers.retrieve(made.id)).deleted, true);
});

test("lists page themselves", async ({ stripe }) => {
    const wanted = new Set();
    for (let i = 0; i < 7; i++) wanted.add((await stripe.customers.create({ description: `page ${i}` })).id);
    const seen = [];
    for await (const customer of stripe.customers.list({ limit: 3 })) seen.push(customer.id);
    assert.equal(new Set(seen).size, seen.length);
    for (const id of wanted) assert.ok(seen.includes(id));
});

test("errors have the SDK's classes", async ({ stripe, Stripe, url }) => {
    await refused(stripe.customers.retrieve("cus_none"), "StripeInvalidRequestError", "resource_missing");
    await refused(stripe.customers.create({ nosuch: 1 }), "StripeInvalidRequestError", "parameter_unknown");
    await refused(stripe.paymentIntents.create({ currency: "eur" }), "StripeInvalidRequestError", "parameter_missing");
    await refused(new Stripe("sk_test_wrong", url).customers.list(), "StripeAuthenticationError");
});

test("setup intent saves a card", async ({ stripe }) => {
    const customer = await stripe.customers.create();
    const intent = await stripe.setupIntents.create({ customer: customer.id, usage: "off_session" });
    assert.equal(intent.status, "requires_payment_method");
    const done = await stripe.setupIntents.confirm(intent.id, { payment_method: "pm_card_visa", expand: ["payment_method"] });
    assert.equal(done.status, "succeeded");
    assert.equal(done.payment_method.card.last4, "4242");
    const cards = await stripe.customers.listPaymentMethods(customer.id);
    assert.equal(cards.data[0].id, done.payment_method.id);
    assert.equal((await stripe.paymentMethods.detach(cards.data[0].id)).customer, null);
});

test("payment methods from test numbers; real numbers are refused", async ({ stripe }) => {
    const card = { number: "5555555555554444", exp_month: 4, exp_year: 2040, cvc: "123" };
    const made = await stripe.paymentMethods.create({ type: "card", card, billing_details: { name: "Fan" } });
    assert.equal(made.card.brand, "mastercard");
    const customer = await stripe.customers.create();
    assert.equal((await stripe.paymentMethods.attach(made.id, { customer: customer.id })).customer, customer.id);
    await refused(stripe.paymentMethods.create({ type: "card", card: { ...card, number: "4111111111111111" } }), "StripeCardError");
});

const pay = (stripe, method, extra = {}, options = {}) =>
    stripe.paymentIntents.create({ amount: 1000, currency: "eur", payment_method: method, confirm: true,
        return_url: "http://127.0.0.1:1/back", ...extra }, options);

test("4242 pays, with charge and fee", async ({ stripe }) => {
    const intent = await pay(stripe, "pm_card_visa", { expand: ["latest_charge.balance_transaction", "payment_method"] });
    assert.equal(intent.status, "succeeded");
    assert.equal(intent.latest_charge.balance_transaction.fee, 59);
    assert.equal(intent.latest_charge.balance_transaction.net, 941);
    const line = await stripe.balanceTransactions.retrieve(intent.latest_charge.balance_transaction.id, { expand: ["source"] });
    assert.equal(line.source.id, intent.latest_charge.id);
});

for (const [token, code, decline] of [
    ["pm_card_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
    ["pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"],
    ["pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"],
    ["pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"],
    ["pm_card_chargeCustomerFail", "card_declined", "generic_decline"],
])
    test(`${token}: ${code}, ${decline}`, async ({ stripe }) => {
        await assert.rejects(pay(stripe, token), (error) => {
            assert.equal(error.type, "StripeCardError");
            assert.equal(error.code, code);
            assert.equal(error.decline_code, decline);
            assert.equal(error.payment_intent.status, "requires_payment_method");
            assert.equal(error.payment_intent.last_payment_error.code, code);
            return true;
        });
    });

test("3155 wants the bank; after it was set up it pays alone", async ({ stripe }) => {
    const customer = await stripe.customers.create();
    const intent = await pay(stripe, "pm_card_authenticationRequiredOnSetup",
        { customer: customer.id, setup_future_usage: "off_session" });
    assert.equal(intent.status, "requires_action");
    const bank = intent.next_action.redirect_to_url.url;
    assert.match(await (await fetch(bank)).text(), /Complete/);
    const back = await fetch(bank, { method: "POST", body: new URLSearchParams({ outcome: "complete" }), redirect: "manual" });
    assert.equal(back.status, 303);
    assert.match(back.headers.get("location"), /redirect_status=succeeded/);
    assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, "succeeded");
    const [card] = (await stripe.customers.listPaymentMethods(customer.id)).data;
    assert.equal((await pay(stripe, card.id, { customer: customer.id, off_session: true })).status, "succeeded");
    await refused(pay(stripe, "pm_card_authenticationRequired", { customer: customer.id, off_session: true }),
        "StripeCardError", "authentication_required");
});

test("confirm, capture, cancel, refund", async ({ stripe }) => {
    const held = await pay(stripe, "pm_card_visa", { capture_method: "manual" });
    assert.equal(held.status, "requires_capture");
    assert.equal((await stripe.paymentIntents.capture(held.id, { amount_to_capture: 700 })).amount_received, 700);
    const refund = await stripe.refunds.create({ payment_intent: held.id, amount: 200, reason: "requested_by_customer" });
    assert.equal(refund.status, "succeeded");
    await refused(stripe.refunds.create({ payment_intent: held.id, amount: 501 }), "StripeInvalidRequestError");
    const later = await stripe.paymentIntents.create({ amount: 500, currency: "eur" });
    assert.equal((await stripe.paymentIntents.confirm(later.id, { payment_method: "pm_card_visa" })).status, "succeeded");
    await refused(stripe.paymentIntents.cancel(later.id), "StripeInvalidRequestError", "payment_intent_unexpected_state");
});

test("idempotency: replayed, compared, one effect of many at once", async ({ stripe }) => {
    const key = (name) => ({ idempotencyKey: `${name}-${Date.now()}` });
    const k = key("same");
    const first = await pay(stripe, "pm_card_visa", {}, k);
    const again = await pay(stripe, "pm_card_visa", {}, k);
    assert.equal(again.id, first.id);
    assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
    await refused(pay(stripe, "pm_card_visa", { amount: 2000 }, k), "StripeIdempotencyError");
    const d = key("declined");
    const ids = [];
    for (let i = 0; i < 2; i++)
        await assert.rejects(pay(stripe, "pm_card_chargeDeclined", {}, d), (e) => ids.push(e.payment_intent.id) > 0);
    assert.equal(ids[0], ids[1]);
    const many = key("many");
    const all = await Promise.all(Array.from({ length: 20 }, () =>
        pay(stripe, "pm_card_visa", {}, { ...many, maxNetworkRetries: 5 })));
    assert.equal(new Set(all.map((intent) => intent.id)).size, 1);
});

test("the SDK's own retries survive a fault", async ({ stripe, url }) => {
    const fault = (fields) => fetch(`http://${url.host}:${url.port}/v1/test_helpers/faults`, { method: "POST",
        headers: { authorization: `Bearer ${KEY}` }, body: new URLSearchParams(fields) });
    await fault({ fault: "error", path: "/v1/payment_intents", times: "2" });
    assert.equal((await pay(stripe, "pm_card_visa", {}, { maxNetworkRetries: 3 })).status, "succeeded");
    await fault({ fault: "limit", path: "/v1/customers", times: "1" });
    await refused(stripe.customers.create({}, { maxNetworkRetries: 0 }), "StripeRateLimitError");
});

test("checkout: create, pay on the page, retrieve", async ({ stripe }) => {
    const customer = await stripe.customers.create({ email: "fan@example.org" });
    const session = await stripe.checkout.sessions.create(page({ customer: customer.id,
        payment_intent_data: { setup_future_usage: "off_session", metadata: { reference: "pay_1" } } }));
    assert.equal(session.status, "open");
    const html = await (await fetch(session.url)).text();
    assert.match(html, /€5\.00/);
    assert.doesNotMatch(html, /<script/);
    const declined = await pressPay(session.url, "4000 0000 0000 0002");
    assert.equal(declined.status, 402);
    assert.match(await declined.text(), /Your card was declined/);
    const paid = await pressPay(session.url, "4242 4242 4242 4242");
    assert.equal(paid.status, 303);
    assert.equal(paid.headers.get("location"), `http://127.0.0.1:1/ok?session=${session.id}`);
    const done = await stripe.checkout.sessions.retrieve(session.id,
        { expand: ["payment_intent.latest_charge.balance_transaction", "line_items", "customer"] });
    assert.equal(done.payment_status, "paid");
    assert.equal(done.payment_intent.latest_charge.balance_transaction.fee, 45);
    assert.equal(done.line_items.data[0].description, "Tier");
    assert.equal(done.customer.id, customer.id);
    assert.equal((await stripe.checkout.sessions.listLineItems(session.id)).data.length, 1);
    assert.ok((await stripe.checkout.sessions.list({ customer: customer.id })).data.length === 1);
});

test("checkout: the bank says no, then yes", async ({ stripe, url }) => {
    const session = await stripe.checkout.sessions.create(page());
    const asked = await pressPay(session.url, "4000002500003155", { email: "fan@example.org" });
    const bank = new URL(asked.headers.get("location"), session.url);
    const answer = (outcome) => fetch(bank, { method: "POST", body: new URLSearchParams({ outcome }), redirect: "manual" });
    assert.equal((await answer("fail")).status, 402);
    assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, "open");
    await pressPay(session.url, "4000002500003155", { email: "fan@example.org" });
    assert.match((await answer("complete")).headers.get("location"), /ok\?session=/);
    assert.equal((await stripe.checkout.sessions.retrieve(session.id)).payment_status, "paid");
});

test("checkout: expire, and modes that are not there", async ({ stripe }) => {
    const session = await stripe.checkout.sessions.create(page());
    assert.equal((await stripe.checkout.sessions.expire(session.id)).status, "expired");
    await refused(stripe.checkout.sessions.expire(session.id), "StripeInvalidRequestError");
    assert.equal((await fetch(session.url)).status, 410);
    await refused(stripe.checkout.sessions.create(page({ mode: "subscription" })), "StripeInvalidRequestError");
});

test("webhooks: signed, about the right thing, constructEvent takes them", async ({ stripe }) => {
    const intent = await pay(stripe, "pm_card_visa", { metadata: { reference: "pay_hook" } });
    const events = await until(() => {
        const mine = received.map(({ body, signature }) => stripe.webhooks.constructEvent(body, signature, "whsec_of_the_test"))
            .filter((e) => e.data.object.id === intent.id || e.data.object.payment_intent === intent.id);
        return mine.length >= 3 && mine;
    });
    assert.deepEqual(events.map((e) => e.type).sort(), ["charge.succeeded", "payment_intent.created", "payment_intent.succeeded"]);
    const { body, signature } = received[0];
    assert.throws(() => stripe.webhooks.constructEvent(body, signature, "whsec_other"));
    assert.throws(() => stripe.webhooks.constructEvent(Buffer.concat([body, Buffer.from(" ")]), signature, "whsec_of_the_test"));
    const listed = await stripe.events.retrieve(events[0].id);
    assert.equal(listed.type, events[0].type);
    assert.ok((await stripe.events.list({ types: ["payment_intent.succeeded"], limit: 5 })).data.length > 0);
});

test("webhooks: tried again until they are taken", async ({ stripe }) => {
    refuse = 2;
    const before = received.length;
    const customer = await stripe.customers.create({ description: "retry" });
    await until(() => received.slice(before).some(({ body }) => JSON.parse(body).data.object.id === customer.id), 15000);
});

test("webhook endpoints: create with a secret of its own, delete", async ({ stripe, hook }) => {
    const endpoint = await stripe.webhookEndpoints.create({ url: hook, enabled_events: ["customer.deleted"] });
    assert.match(endpoint.secret, /^whsec_/);
    assert.equal((await stripe.webhookEndpoints.retrieve(endpoint.id)).secret, undefined);
    const customer = await stripe.customers.create();
    await stripe.customers.del(customer.id);
    await until(() => received.some(({ body, signature }) => {
        try {
            return stripe.webhooks.constructEvent(body, signature, endpoint.secret).type === "customer.deleted";
        } catch {
            return false;
        }
    }));
    assert.equal((await stripe.webhookEndpoints.del(endpoint.id)).deleted, true);
});

test("test clocks", async ({ stripe }) => {
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: 1900000000 });
    const customer = await stripe.customers.create({ test_clock: clock.id });
    assert.equal(customer.created, 1900000000);
    const session = await stripe.checkout.sessions.create(page({ customer: customer.id }));
    const moved = await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: 1900000000 + 90000 });
    assert.equal(moved.status, "ready");
    assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, "expired");
});

test("SIGKILL: what was answered is still there", async ({ stripe, url, hook }) => {
    const options = { idempotencyKey: `kill-${Date.now()}` };
    const intent = await pay(stripe, "pm_card_visa", {}, options);
    await stopSandbox("SIGKILL");
    await startSandbox(url.port, hook);
    assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, "succeeded");
    assert.equal((await pay(stripe, "pm_card_visa", {}, options)).id, intent.id);
});

// --- running them -------------------------------------------------------------------------------------------------

let passed = 0, failed = 0;
try {
    const Stripe = await loadSdk();
    await new Promise((done) => receiver.listen(0, "127.0.0.1", done));
    const hook = `http://127.0.0.1:${receiver.address().port}/hook`;
    const port = await freePort();
    await startSandbox(port, hook);
    const url = { host: "127.0.0.1", port, protocol: "http", telemetry: false };
    const stripe = new Stripe(KEY, { ...url, maxNetworkRetries: 2 });
    for (const { name, run } of tests) {
        try {
            await run({ stripe, Stripe, url, hook });
            passed++;
        } catch (error) {
            failed++;
            console.log(`FAIL ${name}\n${error.stack}`);
        }
    }
    await stopSandbox("SIGTERM");
} catch (error) {
    failed++;
    console.log(error.stack);
    child?.kill("SIGKILL");
} finally {
    receiver.close();
    receiver.closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
