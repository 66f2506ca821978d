// story.mjs -- the product's main job in a real browser, from an empty house to the second month.
// SPDX-License-Identifier: Apache-2.0
//
//   test/browser/run PROGRAM [--postgres] [--no-looks], which calls
//   node test/browser/story.mjs PROGRAM [--database=postgresql://...] [--folder=build/browser] [--no-looks]
//
// A program and its sandbox are started with empty folders. Ana opens a page and publishes photographs; Felix pays in every
// way there is, leaves and is locked out; Mira does all by keyboard and stays; Nobody has no account. Every answer that
// they receive is kept and searched. Each page is held against axe in both themes and two widths. Steps follow from each
// other, so the first one that fails ends the story. Last line: N passed, N failed.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { CHROMIUM, Guest } from "./guest.mjs";
import { House, until } from "./house.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const options = Object.fromEntries(
    process.argv.slice(3).map((one) => [one.replace(/^--|=.*/g, ""), one.includes("=") ? one.slice(one.indexOf("=") + 1) : true]),
);
const program = resolve(process.argv[2] ?? join(root, "build/stagedoor"));
const folder = resolve(options.folder ?? join(root, "build/browser"));
const looks = !options["no-looks"];
const pictures = join(root, "build/fixtures");

const PASSWORD = "a lamp over the door 7";
const NEW_PASSWORD = "two lamps over the door 8";
const PHOTOS = ["phone.jpg", "picture.png", "picture.webp", "picture.heic"];
const CANARIES = ["CANARY", "Exif\0\0", "http://ns.adobe.com/xap"];
const MONTH_S = 32 * 24 * 3600;

// --- counting ----------------------------------------------------------------------------------------------------

let passed = 0;
let failed = 0;
function tell(good, what, why = "") {
    if (good) passed++;
    else {
        failed++;
        console.log(`FAIL ${what}${why ? `\n     ${why.replaceAll("\n", "\n     ")}` : ""}`);
    }
}

const guests = [];
async function step(what, work) {
    const begun = Date.now();
    try {
        await work();
        tell(true, what);
        console.log(`ok   ${what} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
    } catch (error) {
        tell(false, what, error.stack);
        for (const guest of guests) {
            console.log(`     ${guest.name} stands at ${guest.page.url()}; troubles: ${guest.troubles.join("; ") || "none"}`);
            await guest.page.screenshot({ path: join(folder, `failed-${guest.name}.png`) }).catch(() => {});
        }
        throw new Error("the story ends here");
    }
}

function must(good, why) {
    if (!good) throw new Error(why);
}

// --- the house and its guests ------------------------------------------------------------------------------------

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
execFileSync(join(root, "test/fixtures/make.sh"), [pictures], { stdio: "inherit" });
const house = new House(program, folder, options.database);
await house.open();
const browser = await chromium.launch(CHROMIUM);
const counter = { n: 0 };
async function arrive(name, scheme, width) {
    const guest = await Guest.arrive(browser, house, { name, scheme, width, tell, looks, folder, counter });
    guests.push(guest);
    return guest;
}

const ana = await arrive("ana", "light", 1280);
const felix = await arrive("felix", "dark", 390);
const mira = await arrive("mira", "light", 1280);
const nobody = await arrive("nobody", "light", 390);

// --- deeds -------------------------------------------------------------------------------------------------------

const addressOf = (guest) => `${guest.name}@example.org`;

async function signUp(guest, name, next, arriveAt) {
    await guest.go(`/signup${next ? `?next=${encodeURIComponent(next)}` : ""}`);
    await guest.page.getByLabel("Your name").fill(name);
    await guest.page.getByLabel("E-mail").fill(addressOf(guest));
    await guest.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await guest.button("Make my account").click();
    await guest.page.waitForURL(arriveAt);
}

async function logIn(guest, password, next) {
    await guest.go(`/login?next=${encodeURIComponent(next)}`);
    await guest.page.getByLabel("E-mail").fill(addressOf(guest));
    await guest.page.getByLabel("Password", { exact: true }).fill(password);
    await guest.button("Log in").click();
    await guest.page.waitForURL((url) => url.pathname !== "/login");
}

async function write(guest, { text, photos = [], access, publish }) {
    await guest.go("/studio/compose");
    await guest.page.getByLabel("Words").fill(text);
    await guest.page.getByRole("radio", { name: access }).click();
    if (photos.length > 0)
        await guest.page.getByLabel("Choose photos").setInputFiles(photos.map((name) => join(pictures, name)));
    await guest.button(publish ? "Publish" : "Save as draft").click({ timeout: 60_000 });
    await guest.page.waitForURL(publish ? "**/p/pst_*" : "**/studio/posts?state=draft");
    return publish ? new URL(guest.page.url()).pathname.slice(3) : null;
}

async function payPage(guest) {
    await guest.page.waitForURL(`${house.sandbox}/c/pay/**`);
}

async function pay(guest, number) {
    await guest.page.getByLabel("Card number").fill(number);
    await guest.page.getByLabel("Expiry date").fill("12 / 34");
    await guest.page.getByLabel("CVC").fill("123");
    await guest.page.getByLabel("Name on card").fill("Felix Moreau");
    await guest.button(/^Pay €5/).click();
}

const openPhoto = (guest) => guest.button(/^Open photo/).first();

// The picture in the first post on the page is a photograph, and not its teaser.
async function photographIsShown(guest) {
    await openPhoto(guest).waitFor();
    const image = openPhoto(guest).locator("img");
    await until("the photograph is drawn", () => image.evaluate((one) => one.complete && one.naturalWidth > 1000));
    const address = await image.evaluate((one) => one.src);
    must(address.includes("/m/"), `the photograph's address is not signed: ${address}`);
    return address;
}

// What stands under the lock are the teaser's bytes, and they are few.
async function onlyTeaserIsShown(guest) {
    const image = guest.page.locator("article img[src*='teaser']").first();
    await image.waitFor();
    await until("the teaser is drawn", () => image.evaluate((one) => one.complete && one.naturalWidth > 0));
    const [address, width, height] = await image.evaluate((one) => [one.src, one.naturalWidth, one.naturalHeight]);
    must(width <= 64 && height <= 64, `the teaser is ${width} x ${height}`);
    const bytes = (await guest.received()).findLast((one) => one.url === address && one.body);
    must(bytes?.body.length > 0 && bytes.body.length < 2000, `the teaser has ${bytes?.body.length} bytes`);
    must(bytes.type === "image/webp" && bytes.body.toString("latin1", 8, 12) === "WEBP", "the teaser is a WebP");
    must((await guest.page.locator("article").first().getByRole("button", { name: /^Open photo/ }).count()) === 0, "no photograph is offered");
    return bytes.body;
}

const status = (guest, address) => guest.context.request.get(address).then((reply) => reply.status());

// --- the story ---------------------------------------------------------------------------------------------------

let post, address, picked, draft;
try {
    await step("the door, for one without an account", async () => {
        await nobody.go("/");
        await nobody.heading(/.+/).first().waitFor();
        await nobody.look("door");
        await nobody.go("/explore");
        await nobody.look("explore-empty");
        await nobody.go("/login");
        await nobody.look("login");
        await nobody.go("/docs");
        await nobody.heading(/.+/).first().waitFor();
        await nobody.look("docs", { long: true });
    });

    await step("Ana signs up; a weak password is refused with its reason", async () => {
        ana.expects(400, /\/v1\/accounts$/);
        await ana.go("/signup");
        await ana.page.getByLabel("Your name").fill("Ana Lindqvist");
        await ana.page.getByLabel("E-mail").fill(addressOf(ana));
        await ana.page.getByLabel("Password", { exact: true }).fill("password");
        await ana.button("Make my account").click();
        await ana.page.locator("[name=password][aria-invalid=true]").waitFor();
        await ana.page.getByText("most common passwords").waitFor();
        await ana.look("signup-refused");
        await ana.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
        await ana.button("Make my account").click();
        await ana.page.waitForURL("**/explore");
    });

    await step("Ana becomes a creator, with a picture and a banner", async () => {
        await ana.go("/become");
        await ana.page.getByLabel("Handle").fill("ana");
        await ana.page.getByLabel("About you").fill("Set designer. Maquettes and paint, two weeks before anybody else sees them.");
        await ana.look("become");
        await ana.button("Open my page").click();
        await ana.page.waitForURL("**/studio");
        await ana.look("studio-new");
        await ana.go("/studio/profile");
        await ana.page.getByLabel("Choose a picture").setInputFiles(join(pictures, "picture.webp"));
        await ana.page.getByText("New picture set").waitFor({ timeout: 60_000 });
        await ana.page.getByLabel("Choose a banner").setInputFiles(join(pictures, "phone.jpg"));
        await ana.page.getByText("New banner set").waitFor({ timeout: 60_000 });
        await ana.look("profile");
    });

    await step("Ana makes a tier; a price below the least is refused at its field", async () => {
        ana.expects(400, /\/tiers$/);
        await ana.go("/studio/tiers");
        await ana.button("Make your first tier").click();
        const form = ana.page.getByRole("dialog");
        await form.getByLabel("Name").fill("Backstage");
        await form.getByLabel("Price a month").fill("0.10");
        await form.getByLabel("What is in it").fill("Every photograph in full, and the stories behind them.");
        await form.getByRole("button", { name: "Make tier" }).click();
        await form.locator("[name=price][aria-invalid=true]").waitFor();
        await ana.look("tier-refused");
        await form.getByLabel("Price a month").fill("5");
        await form.getByRole("button", { name: "Make tier" }).click();
        await ana.page.getByText("Tier made").waitFor();
        await ana.look("tiers");
    });

    await step("Ana publishes four photographs for subscribers; a text named .jpg is refused", async () => {
        await ana.go("/studio/compose");
        await ana.page.getByLabel("Words").fill("The blue is dry. Four views of the maquette.");
        ana.expects(415, /\/v1\/media/);
        await ana.page.getByLabel("Choose photos").setInputFiles([...PHOTOS, "text.jpg"].map((name) => join(pictures, name)));
        await ana.page.getByRole("alert").filter({ hasText: "This is a text file, not a photo" }).waitFor({ timeout: 60_000 });
        await ana.button("Remove photo 5").click();
        await ana.page.getByPlaceholder("Describe it").first().fill("Hills of colour, seen from above");
        await ana.page.getByPlaceholder("Describe it").nth(1).focus();
        await until("four photographs are ready", async () => (await ana.button("Publish").isEnabled()) && true, 60_000);
        must(ana.heard.filter((one) => one.startsWith("media.ready")).length >= 4, "the event stream did not say so");
        await ana.look("compose");
        await ana.button("Publish").click();
        await ana.page.waitForURL("**/p/pst_*");
        post = new URL(ana.page.url()).pathname;
        await photographIsShown(ana);
        await ana.look("own-post");
        await openPhoto(ana).click();
        await ana.page.getByRole("dialog").getByRole("button", { name: "Next photo" }).click();
        await ana.page.getByText("2 of 4").waitFor();
        await ana.look("lightbox");
        await ana.page.keyboard.press("Escape");
    });

    await step("a locked post shows its teaser and nothing else, to one without an account", async () => {
        nobody.expects(404, /\/m\//);
        await nobody.go("/@ana");
        await nobody.heading("Ana Lindqvist").first().waitFor();
        await onlyTeaserIsShown(nobody);
        await nobody.look("creator-page");
        await nobody.go(post);
        await onlyTeaserIsShown(nobody);
        await nobody.look("locked-post");
        const found = await nobody.signedAddresses();
        must(found.length === 0, `signed addresses were sent: ${found.join(" ")}`);
    });

    await step("Felix signs up, sees the lock, follows; nothing signed reaches him", async () => {
        await signUp(felix, "Felix Moreau", "/@ana", "**/@ana");
        await felix.heading("Ana Lindqvist").first().waitFor();
        await onlyTeaserIsShown(felix);
        await felix.button("Follow").first().click();
        await felix.page.getByText("You follow Ana Lindqvist").waitFor();
        await felix.go("/feed");
        await onlyTeaserIsShown(felix);
        await felix.look("feed-locked");
        await felix.go(post);
        const teaser = await onlyTeaserIsShown(felix);
        const found = await felix.signedAddresses();
        must(found.length === 0, `signed addresses were sent: ${found.join(" ")}`);
        for (const name of PHOTOS)
            must(readFileSync(join(pictures, name)).length > 5 * teaser.length, `${name} is as small as a teaser`);
    });

    await step("card …0002 is declined with a clear message, and nothing is unlocked", async () => {
        await felix.go("/@ana");
        await felix.button(/^Subscribe from €5/).first().click();
        await felix.page.getByRole("dialog", { name: "Support Ana Lindqvist" }).waitFor();
        await felix.look("subscribe");
        await felix.button(/^Pay €5/).click();
        await payPage(felix);
        await felix.look("hosted");
        await pay(felix, "4000 0000 0000 0002");
        await felix.page.getByRole("alert").filter({ hasText: "Your card was declined" }).waitFor();
        await felix.look("hosted-declined");
        await felix.link(/^Back to/).first().click();
        await felix.page.waitForURL(`${house.url}/checkout/return**`);
        await felix.heading("The payment did not go through").waitFor();
        await felix.page.getByText(/declined/i).first().waitFor();
        await felix.look("declined");
        await felix.go(post);
        await onlyTeaserIsShown(felix);
        const found = await felix.signedAddresses();
        must(found.length === 0, `signed addresses were sent: ${found.join(" ")}`);
        const own = (await felix.api("GET", "/v1/subscriptions")).body.items;
        must(own.length === 1 && own[0].state === "incomplete", `the subscription is ${own[0]?.state}`);
        await felix.go("/subscriptions");
        await felix.look("subscriptions-declined");
    });

    await step("card …9995 has no funds; then 4242 pays, and the photograph is there", async () => {
        await felix.button("Pay now").or(felix.link("Pay now")).first().click();
        await felix.page.waitForURL((url) => url.href.startsWith(house.sandbox) || url.searchParams.has("subscribe"));
        if (!felix.page.url().startsWith(house.sandbox)) await felix.button(/^Pay €5/).click();
        await payPage(felix);
        await pay(felix, "4000 0000 0000 9995");
        await felix.page.getByRole("alert").filter({ hasText: "insufficient funds" }).waitFor();
        await pay(felix, "4242 4242 4242 4242");
        await felix.page.waitForURL(`${house.url}/checkout/return**`);
        await felix.heading("You are in").waitFor();
        await felix.look("welcome");
        await felix.link("Go behind the door").click();
        await felix.page.waitForURL("**/@ana");
        await photographIsShown(felix);
        await felix.look("creator-page-member");
        await felix.go(post);
        address = await photographIsShown(felix);
        await felix.look("unlocked-post");
        await felix.go("/feed");
        await photographIsShown(felix);
        await felix.page.getByText("The blue is dry.").waitFor();
        await felix.look("feed");
        must((await felix.signedAddresses()).length > 0, "the search for signed addresses finds none where there are some");
    });

    await step("no picture that was sent carries where and by what it was taken", async () => {
        const source = readFileSync(join(pictures, "phone.jpg")).toString("latin1");
        must(CANARIES.every((one) => source.includes(one)), "the phone's photograph has nothing to find");
        let looked = 0;
        for (const guest of [ana, felix, nobody])
            for (const { url, type, body } of await guest.received()) {
                if (!type.startsWith("image/webp") || !body) continue;
                looked++;
                const text = body.toString("latin1");
                for (const canary of [...CANARIES, "EXIF", "XMP "])
                    must(!text.includes(canary), `${url} carries ${JSON.stringify(canary)}`);
            }
        must(looked > 10, `only ${looked} pictures were looked at`);
    });

    await step("a copied address of the photograph does nothing for anybody else", async () => {
        must((await status(felix, address)) === 200, "it works for Felix");
        for (const guest of [nobody, mira]) must([403, 404, 410].includes(await status(guest, address)), `${guest.name} has it`);
        const guessed = address.replace(/ast_[a-z0-9]+/i, (id) => id.slice(0, -1) + (id.endsWith("0") ? "1" : "0"));
        must([403, 404, 410].includes(await status(felix, guessed)), "another id under the same signature works");
    });

    await step("Mira logs in and subscribes by keyboard alone, and confirms to her bank", async () => {
        await signUp(mira, "Mira Okafor", null, "**/explore");
        await mira.context.clearCookies();
        await mira.go("/login?next=%2F%40ana");
        await mira.heading("Welcome back").waitFor();
        const keys = mira.page.keyboard;
        await mira.tabTo(mira.link("Skip to the content"), 1);
        await mira.tabTo(mira.page.getByLabel("E-mail"));
        await keys.type(addressOf(mira));
        await mira.tabTo(mira.page.getByLabel("Password", { exact: true }), 3);
        await keys.type(PASSWORD);
        await keys.press("Enter");
        await mira.page.waitForURL("**/@ana");
        await mira.heading("Ana Lindqvist").first().waitFor();
        await mira.tabTo(mira.button(/^Subscribe from €5/).first());
        await keys.press("Enter");
        await mira.page.getByRole("dialog").waitFor();
        await mira.tabTo(mira.button(/^Pay €5/), 6);
        await keys.press("Enter");
        await payPage(mira);
        for (const [label, text] of [["Card number", "4000002500003155"], ["Expiry date", "12/34"], ["CVC", "123"], ["Name on card", "Mira Okafor"]]) {
            await mira.tabTo(mira.page.getByLabel(label), 4);
            await keys.type(text);
        }
        await keys.press("Enter");
        await mira.page.waitForURL("**/c/authenticate/**");
        await mira.look("bank");
        await mira.tabTo(mira.button("Fail"), 8);
        await keys.press("Enter");
        await mira.page.getByRole("alert").filter({ hasText: "did not confirm" }).waitFor();
        await mira.look("bank-refused");
        for (const [label, text] of [["Card number", "4000002500003155"], ["Expiry date", "12/34"], ["CVC", "123"], ["Name on card", "Mira Okafor"]]) {
            await mira.page.getByLabel(label).focus();
            await keys.press("Control+A");
            await keys.type(text);
        }
        await keys.press("Enter");
        await mira.page.waitForURL("**/c/authenticate/**");
        await mira.tabTo(mira.button("Complete"), 8);
        await keys.press("Enter");
        await mira.page.waitForURL(`${house.url}/checkout/return**`);
        await mira.heading("You are in").waitFor();
        await mira.tabTo(mira.link("Go behind the door"));
        await keys.press("Enter");
        await mira.page.waitForURL("**/@ana");
        await photographIsShown(mira);
    });

    await step("drafts are for nobody; published, edited, deleted; each kind of access", async () => {
        for (const guest of [nobody, felix]) guest.expects(404, /\/(v1\/posts|p)\/pst_/);
        await write(ana, { text: "A draft about the red curtain.", photos: ["picture.png"], access: "Everyone", publish: false });
        await ana.page.getByText("A draft about the red curtain.").waitFor();
        await ana.look("drafts");
        draft = (await ana.api("GET", "/v1/studio/posts?state=draft")).body.items[0].id;
        must((await nobody.api("GET", `/v1/posts/${draft}`)).status === 404, "a draft is shown to Nobody");
        await ana.button("What to do with this post").click();
        await ana.page.getByRole("menuitem", { name: "Publish now" }).click();
        await ana.page.getByText("Published", { exact: true }).last().waitFor();
        await felix.go("/feed");
        await felix.page.getByText("A draft about the red curtain.").waitFor();
        await nobody.go(`/p/${draft}`);
        await openPhoto(nobody).waitFor();
        await nobody.look("public-post");

        const followers = await write(ana, { text: "For those who follow: the green room.", photos: ["picture.heic"], access: "Followers", publish: true });
        await nobody.go(`/p/${followers}`);
        await nobody.page.getByText("For followers").waitFor();
        await onlyTeaserIsShown(nobody);
        await nobody.look("followers-post-locked");
        await felix.go(`/p/${followers}`);
        await openPhoto(felix).waitFor();
        await felix.page.getByText("the green room").waitFor();

        await ana.go(`/studio/compose?post=${draft}`);
        await ana.page.getByLabel("Words").fill("No draft any more: the red curtain hangs.");
        await ana.button("Save changes").click();
        await ana.page.waitForURL(`**/p/${draft}`);
        await nobody.go(`/p/${draft}`);
        await nobody.page.getByText("No draft any more").waitFor();
        await nobody.page.getByText("edited").waitFor();

        const picture = await openPhoto(nobody).locator("img").evaluate((one) => one.src);
        must((await status(nobody, picture)) === 200, "a public photograph is shown");
        await ana.go("/studio/posts");
        await ana.look("studio-posts");
        await ana.page.getByRole("listitem").filter({ hasText: "red curtain" }).getByRole("button", { name: "What to do with this post" }).click();
        await ana.page.getByRole("menuitem", { name: "Delete" }).click();
        await ana.page.getByRole("alertdialog").waitFor();
        await ana.look("delete-post");
        await ana.page.getByRole("alertdialog").getByRole("button", { name: "Delete post" }).click();
        await ana.page.getByText("Post deleted").waitFor();
        await nobody.go(`/p/${draft}`);
        await nobody.heading(/.+/).first().waitFor();
        await nobody.look("deleted-post");
        must((await nobody.api("GET", `/v1/posts/${draft}`)).status === 404, "a deleted post is shown");
        must([403, 404, 410].includes(await status(nobody, picture)), "a deleted post's photograph is shown");
        const found = (await nobody.signedAddresses()).filter((one) => address.includes(/ast_\w+/.exec(one)?.[0] ?? "?"));
        must(found.length === 0, `signed addresses of the locked photograph were sent: ${found.join(" ")}`);
    });

    await step("Ana sees her subscribers and her money: gross, the fee of 20 %, net", async () => {
        await ana.go("/studio/subscribers");
        await ana.page.getByText("Felix Moreau").waitFor();
        await ana.page.getByText("Mira Okafor").waitFor();
        await ana.look("subscribers");
        await ana.go("/studio/earnings");
        const totals = ana.page.getByLabel("Totals in EUR");
        for (const [name, amount] of [["Gross", "€10.00"], ["Fee 20%", "−€2.00"], ["Net", "€8.00"]])
            await totals.locator("dl > div").filter({ hasText: name }).filter({ hasText: amount }).first().waitFor();
        await ana.look("earnings");
        await ana.go("/studio");
        await ana.page.getByText("€8.00").first().waitFor();
        await ana.look("studio");
    });

    await step("Felix cancels, and keeps what he has paid for", async () => {
        await felix.go("/subscriptions");
        await felix.look("subscriptions");
        await felix.button(/^Cancel subscription/).click();
        const question = felix.page.getByRole("alertdialog");
        await question.waitFor();
        await felix.look("cancel");
        await question.getByRole("button", { name: "Cancel subscription" }).click();
        await felix.page.getByText(/You have access until/).waitFor();
        await felix.button("Keep it after all").waitFor();
        await felix.look("subscriptions-ending");
        await felix.go(post);
        address = await photographIsShown(felix);
        must((await status(felix, address)) === 200, "the picture is his until the period's end");
    });

    await step("he confirms his address, and sets a new password, by the links that were mailed", async () => {
        await felix.go(await house.mailedLink(addressOf(felix), "/verify"));
        await felix.page.getByText("Your e-mail address is confirmed.").waitFor();
        await felix.look("verified");
        must((await felix.api("GET", "/v1/me")).body.email_verified === true, "the address is confirmed");
        felix.expects(410, /\/v1\/email-verifications\/confirm$/);
        await felix.go(await house.mailedLink(addressOf(felix), "/verify"));
        await felix.heading("This link did not work").waitFor();
        await felix.look("verified-already");

        await nobody.go("/login");
        await nobody.link("Forgot it?").click();
        await nobody.heading("A new password").waitFor();
        await nobody.page.getByLabel("E-mail").fill(addressOf(felix));
        await nobody.look("forgot");
        await nobody.page.getByRole("button").filter({ hasText: /link/i }).click();
        await nobody.heading("Look in your mail").waitFor();
        await nobody.look("forgot-sent");
        await nobody.go(await house.mailedLink(addressOf(felix), "/reset"));
        await nobody.page.getByLabel("New password", { exact: true }).fill(NEW_PASSWORD);
        await nobody.look("reset");
        await nobody.button("Set password").click();
        await nobody.page.waitForURL((url) => url.pathname !== "/reset");
        must((await felix.api("GET", "/v1/me")).status === 401, "his old session ended with the old password");
        const old = await nobody.api("POST", "/v1/sessions", { email: addressOf(felix), password: PASSWORD });
        must(old.status === 401, "the old password still works");
        await nobody.context.clearCookies();
        await logIn(felix, NEW_PASSWORD, "/feed");
    });

    await step("sessions are listed, and one that is sent away is out", async () => {
        const other = await arrive("felix", "light", 1280);
        await logIn(other, NEW_PASSWORD, "/settings");
        await other.heading("Settings").waitFor();
        await other.look("settings");
        await felix.go("/settings/sessions");
        const rows = felix.page.getByRole("listitem").filter({ hasText: "Logged in" });
        await until("two sessions are listed", async () => (await rows.count()) === 2);
        await felix.look("sessions");
        await rows.filter({ hasNotText: "This device" }).getByRole("button", { name: /^Log out/ }).click();
        await felix.page.getByRole("alertdialog").getByRole("button", { name: "Log out" }).click();
        await felix.page.getByText("Logged out there").waitFor();
        await until("one session is left", async () => (await rows.count()) === 1);
        must((await other.api("GET", "/v1/me")).status === 401, "the other session is still in");
        await other.go("/settings");
        await other.page.waitForURL("**/login**");
    });

    await step("a month later: locked again for Felix, and the copied address is dead", async () => {
        must((await status(felix, address)) !== 500, "");
        await felix.go(post);
        address = await photographIsShown(felix);
        const step = await felix.api("POST", "/v1/development/clock", { advance_s: MONTH_S });
        must(step.status < 300, `the clock answered ${step.status}`);
        for (const guest of [felix, ana, mira]) guest.expects(404, /\/m\//), guest.expects(410, /\/m\//);
        await logIn(felix, NEW_PASSWORD, post);
        await onlyTeaserIsShown(felix);
        await felix.look("locked-again");
        must([404, 410].includes(await status(felix, address)), "the copied address still works");
        const own = await until("his subscription has ended", async () => {
            const one = (await felix.api("GET", "/v1/subscriptions")).body.items[0];
            return ["canceled", "expired"].includes(one.state) && one;
        });
        must(own.cancel_at_period_end !== undefined, "the subscription is told");
        const payments = (await felix.api("GET", "/v1/payments")).body.items.filter((one) => one.state === "succeeded");
        must(payments.length === 1, `${payments.length} payments, not 1`);
        await felix.go("/subscriptions");
        await felix.look("subscriptions-ended");
    });

    await step("and renewed for Mira: still open, two charges", async () => {
        await logIn(mira, PASSWORD, post);
        await until("two payments", async () =>
            (await mira.api("GET", "/v1/payments")).body.items.filter((one) => one.state === "succeeded").length === 2);
        await mira.go(post);
        await photographIsShown(mira);
        await mira.go("/subscriptions");
        await mira.page.getByText("Active").waitFor();
        await mira.look("subscriptions-renewed");
        await logIn(ana, PASSWORD, "/studio/earnings");
        const totals = ana.page.getByLabel("Totals in EUR");
        for (const [name, amount] of [["Gross", "€15.00"], ["Fee 20%", "−€3.00"], ["Net", "€12.00"]])
            await totals.locator("dl > div").filter({ hasText: name }).filter({ hasText: amount }).first().waitFor();
        await ana.look("earnings-renewed");
        await ana.go("/studio/subscribers");
        await ana.look("subscribers-renewed");
    });

    await step("who is refused the event stream asks again, and hears", async () => {
        ana.expects(503, /\/v1\/events$/);
        await ana.page.goto("about:blank");
        const others = await house.streams(32, await ana.context.cookies(house.url)); // as many as one account may have
        const refused = ana.page.waitForResponse((reply) => reply.url().endsWith("/v1/events") && reply.status() === 503);
        await ana.go("/studio/compose");
        await refused;
        for (const one of others) one.destroy();
        const before = ana.heard.length;
        await ana.page.waitForResponse((reply) => reply.url().endsWith("/v1/events") && reply.status() === 200);
        await ana.page.getByLabel("Choose photos").setInputFiles(join(pictures, "picture.webp"));
        await until("a photograph is told of", () => ana.heard.slice(before).some((one) => one.startsWith("media.ready")), 60_000);
    });

    await step("a page that is not there says so", async () => {
        nobody.expects(404, /./);
        await nobody.go("/@nobody_at_all");
        await nobody.heading("Nobody by that name").waitFor();
        await nobody.look("no-such-creator");
        await nobody.go("/no/such/page");
        await nobody.heading(/.+/).first().waitFor();
        await nobody.look("no-such-page");
    });

    await step("what watches the pages can fail", async () => {
        const bad = await Guest.arrive(browser, house, { name: "bad", scheme: "light", width: 390, tell, looks, folder, counter });
        await bad.go("/login");
        await bad.heading("Welcome back").waitFor();
        await bad.page.evaluate(() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script, document.createElement("button"));
        });
        await until("the policy's breach is heard", () => bad.troubles.some((one) => one.startsWith("policy: script-src")));
        must(!(await bad.page.evaluate(() => window.ran)), "an inline script ran");
        must((await bad.axe()).some((one) => one.startsWith("button-name")), "axe does not see a button without a name");
        await bad.leave();
    });
} catch (error) {
    if (error.message !== "the story ends here") tell(false, "the story", error.stack);
}

for (const guest of guests)
    tell(guest.troubles.length === 0, `${guest.name}'s browser complained of nothing`, guest.troubles.join("\n"));
for (const guest of guests) await guest.leave();
await browser.close();
tell(await house.close(), "the house closes in good order");
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
