// contract.mjs -- every answer of the test run against the printed OpenAPI 3.1, by validators that are not ours.
// SPDX-License-Identifier: Apache-2.0
//
//   node contract.mjs OPENAPI RECORDS
//
// RECORDS: folder of *.jsonl, from the tests in C (test/record.h), the browser's story and the kill test. It fails for an answer that the document does not describe: its status, its
// headers, its body, its error; for what was taken although the document refuses it; and for what the document describes and no
// test reached: a route, a status, an error of a route, an error at all, an event.
// At the end it proves itself: recorded exchanges are spoilt, one way after another, and each must be found out.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { Validator } from "@seriousme/openapi-schema-validator";

const [documentFile, records] = process.argv.slice(2);

// --- the document --------------------------------------------------------------------------------

// One document, and what it says of an exchange. Each part is compiled by its JSON pointer, once.
class Contract {
  constructor(openapi) {
    this.openapi = openapi;
    this.ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
    addFormats(this.ajv);
    this.ajv.addSchema({ ...openapi, $id: "https://stagedoor.invalid/openapi.json" });
    this.compiled = new Map();
    this.good = new Set(); // schema and text that were found good before
    // Templates, the literal ones first: /v1/sessions/current before /v1/sessions/{session}.
    this.templates = Object.keys(openapi.paths)
      .map((path) => ({ path, pattern: new RegExp("^" + path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+") + "$") }))
      .sort((a, b) => a.path.split("{").length - b.path.split("{").length);
    this.every = openapi["x-every-answer"].map((name) => name.toLowerCase());
  }

  check(at, text) {
    if (this.good.has(at + text)) return null;
    if (!this.compiled.has(at)) this.compiled.set(at, this.ajv.compile({ $ref: "https://stagedoor.invalid/openapi.json" + at }));
    const validate = this.compiled.get(at);
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      return "this is no JSON";
    }
    if (!validate(value)) return this.ajv.errorsText(validate.errors).slice(0, 300);
    if (text.length < 10000) this.good.add(at + text);
    return null;
  }

  templateOf(target) {
    return this.templates.find((t) => t.pattern.test(target.split("?")[0]))?.path;
  }

  resolve(part) {
    return part.$ref ? part.$ref.slice(2).split("/").reduce((o, key) => o[key], this.openapi) : part;
  }
}

const pointer = (...parts) => "#/" + parts.map((p) => encodeURIComponent(p.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
const ANY_PROBLEM = "#/components/responses/Problem/content/application~1problem+json/schema";
const codesOf = (response) => response.content?.["application/problem+json"]?.schema?.properties?.code?.enum ?? [];

// --- what the document promises, by name ---------------------------------------------------------

const METHODS = ["get", "put", "post", "patch", "delete"];

function* operations(openapi) {
  for (const [path, item] of Object.entries(openapi.paths))
    for (const method of METHODS) if (item[method]) yield [`${method.toUpperCase()} ${path}`, item[method]];
}

// Everything that a test has to reach: "GET /livez" itself, "GET /v1/me 200", "POST /v1/accounts 409 taken", "error timeout", "event media.ready".
function promisesOf(openapi) {
  const names = new Set();
  for (const [route, operation] of operations(openapi)) {
    names.add(route); // it may document nothing but "default"
    for (const [status, response] of Object.entries(operation.responses)) {
      if (status === "default") continue;
      names.add(`${route} ${status}`);
      for (const code of codesOf(response)) names.add(`${route} ${status} ${code}`);
    }
  }
  for (const code of openapi.components.schemas.Problem.properties.code.enum) names.add(`error ${code}`);
  for (const event of Object.keys(openapi["x-events"])) names.add(`event ${event}`);
  return names;
}

// --- one exchange --------------------------------------------------------------------------------

// The sentences that are to be said against it; what it reaches goes into `reached`.
function judge(contract, x, reached) {
  const wrong = [];
  if (x.stream !== undefined) return judgeStream(contract, x.stream, reached);
  if (x.method === "OPTIONS") return wrong;
  // What came over a wire does not say its route, and has the wire's own headers.
  if (x.route === undefined) x = { ...x, route: contract.templateOf(x.target) ?? null, wire: true };
  judgeEvery(contract, x, wrong);
  // Pages and files of the web app are no API. test/hall.c has routes of its own: their problems are like all.
  if (x.page) return wrong;
  if ((x.route ?? "").startsWith("/t/")) {
    if (x.status >= 400 && x.type !== "image/webp") judgeProblem(contract, x, ANY_PROBLEM, x.route, wrong, reached);
    return wrong;
  }
  if (x.route === null && x.status < 400) return wrong;
  const path = contract.templateOf(x.target);
  const method = (x.method === "HEAD" ? "get" : x.method).toLowerCase();
  const operation = x.route !== null && path ? contract.openapi.paths[path][method] : undefined;
  const route = `${method.toUpperCase()} ${x.route ?? x.target}`;
  if (x.route !== null && path !== x.route) wrong.push(`${route} is ${path ?? "nothing"} in the document`);
  if (!operation) {
    if (x.route !== null) wrong.push(`${route} answered ${x.status}, but is not documented`);
    else if (x.status !== 404 || !x.type?.startsWith("text/html")) // a browser gets a page
      judgeProblem(contract, x, ANY_PROBLEM, route, wrong, reached);
    return wrong;
  }
  judgeSent(contract, x, route, path, method, operation, wrong);
  judgeReply(contract, x, route, path, method, operation, wrong, reached);
  return wrong;
}

const has = (x, name) => Object.keys(x.headers).some((n) => n.toLowerCase() === name.toLowerCase());

// What every answer has, and what goes with a status.
function judgeEvery(contract, x, wrong) {
  const missing = (name) => wrong.push(`${x.method} ${x.route} ${x.status} has no ${name}`);
  for (const name of contract.every) if (!has(x, name)) missing(name);
  for (const [status, name] of [[401, "WWW-Authenticate"], [405, "Allow"], [429, "Retry-After"], [503, "Retry-After"]])
    if (x.status === status && x.type?.includes("problem") && x.codeless !== true && !has(x, name) && codeOf(x) !== "wrong_password") missing(name);
}

function codeOf(x) {
  try {
    return JSON.parse(x.reply).code;
  } catch {
    return undefined;
  }
}

const WIRE = ["date", "connection", "keep-alive", "content-length", "transfer-encoding", "strict-transport-security"];

function judgeHeaders(contract, x, route, response, wrong) {
  const declared = new Map(Object.entries(response.headers ?? {}).map(([name, h]) => [name.toLowerCase(), contract.resolve(h)]));
  const free = ["content-type", "vary", "x-accel-buffering", ...(response.content?.["*/*"] ? ["etag"] : []), ...(x.wire ? WIRE : [])];
  for (const [name, header] of declared) if (header.required && !has(x, name)) wrong.push(`${route} ${x.status} has no ${name}`);
  for (const name of Object.keys(x.headers).map((n) => n.toLowerCase()))
    if (!declared.has(name) && !contract.every.includes(name) && !free.includes(name))
      wrong.push(`${route} ${x.status} has a header ${name}, which is not documented`);
}

function judgeProblem(contract, x, at, route, wrong, reached) {
  if (x.method === "HEAD" || x.reply === null) return;
  if (x.type !== "application/problem+json") return void wrong.push(`${route} ${x.status} is ${x.type}, not problem+json`);
  const why = contract.check(at, x.reply);
  if (why !== null) return void wrong.push(`${route} ${x.status}: ${why}: ${x.reply.slice(0, 200)}`);
  const problem = JSON.parse(x.reply);
  if (problem.status !== x.status) wrong.push(`${route} ${x.status}: the problem says ${problem.status}`);
  reached.add(`error ${problem.code}`);
}

function judgeReply(contract, x, route, path, method, operation, wrong, reached) {
  const key = operation.responses[x.status] ? String(x.status) : x.status >= 400 ? "default" : null;
  // Bytes that are no files may have a tag: /openapi.json has, the probes have not.
  if (key === null && x.status === 304 && operation.responses["200"]?.content?.["*/*"]) return;
  if (key === null) return void wrong.push(`${route} answered ${x.status}, which is not documented`);
  reached.add(route);
  const response = contract.resolve(operation.responses[key]);
  const code = codeOf(x);
  // An error that any route may end in can have the status of one that this route declares.
  const common = x.status >= 400 && !codesOf(response).includes(code);
  if (common && contract.declared.has(code)) wrong.push(`${route} ended in ${code}, which it does not declare`);
  judgeHeaders(contract, x, route, common ? contract.resolve(operation.responses.default) : response, wrong);
  if (!common) reached.add(`${route} ${x.status}`);
  if (x.status >= 400) {
    const own = pointer("paths", path, method, "responses", key, "content", "application/problem+json", "schema");
    judgeProblem(contract, x, common ? ANY_PROBLEM : own, route, wrong, reached);
    if (!common) reached.add(`${route} ${x.status} ${code}`);
    return;
  }
  const kinds = Object.keys(response.content ?? {});
  if (kinds.length === 0) {
    if (x.reply) wrong.push(`${route} ${x.status} has a body, which is not documented`);
  } else if (kinds[0] === "application/json" && x.method !== "HEAD") {
    if (x.type !== "application/json") return void wrong.push(`${route} ${x.status} is ${x.type}, not JSON`);
    const at = pointer("paths", path, method, "responses", key, "content", "application/json", "schema");
    const why = contract.check(at, x.reply ?? "");
    if (why !== null) wrong.push(`${route} ${x.status}: ${why}: ${(x.reply ?? "nothing").slice(0, 200)}`);
  } else if (kinds[0] === "text/event-stream" && x.type !== kinds[0]) {
    wrong.push(`${route} ${x.status} is ${x.type}, not an event stream`);
  }
}

// What was taken must be what the document lets in.
function judgeSent(contract, x, route, path, method, operation, wrong) {
  if (x.status >= 300) return;
  const known = operation.parameters.filter((p) => p.in === "query").map((p) => p.name);
  const raw = operation.responses["200"]?.content?.["*/*"] !== undefined; // takes whatever stands there
  for (const name of new URLSearchParams(x.target.split("?")[1] ?? "").keys())
    if (!raw && !known.includes(name)) wrong.push(`${route} took a parameter ${name}, which is not documented`);
  const content = operation.requestBody?.content?.["application/json"];
  if (!content || x.sent === null) return;
  const why = contract.check(pointer("paths", path, method, "requestBody", "content", "application/json", "schema"), x.sent);
  if (why !== null) wrong.push(`${route} took a body that the document refuses: ${why}: ${x.sent.slice(0, 200)}`);
}

// id, event and data of each; comments between them.
function judgeStream(contract, text, reached) {
  const wrong = [];
  for (const block of text.split("\n\n")) {
    const field = (name) => block.split("\n").find((l) => l.startsWith(name + ": "))?.slice(name.length + 2);
    const [event, data] = [field("event"), field("data")];
    if (event === undefined || data === undefined) continue;
    if (!contract.openapi["x-events"][event]) {
      wrong.push(`an event ${event} was told, which is not documented`);
      continue;
    }
    const why = contract.check(pointer("x-events", event), data);
    if (why !== null) wrong.push(`event ${event}: ${why}: ${data.slice(0, 200)}`);
    if (!/^evt_[0-9a-hjkmnp-tv-z]{13}$/.test(field("id") ?? "")) wrong.push(`event ${event} has no id`);
    reached.add(`event ${event}`);
  }
  return wrong;
}

// --- the run -------------------------------------------------------------------------------------

let passed = 0;
const failures = new Map(); // sentence -> times
const fail = (sentence) => failures.set(sentence, (failures.get(sentence) ?? 0) + 1);

const openapi = JSON.parse(readFileSync(documentFile, "utf8"));

// An OpenAPI document, with nothing in it that would let anything pass.
async function faultsOf(document) {
  const found = [];
  const valid = await new Validator().validate(structuredClone(document));
  if (!valid.valid) found.push(`it is no OpenAPI: ${JSON.stringify(valid.errors).slice(0, 800)}`);
  for (const [name, schema] of Object.entries(document.components.schemas))
    if (name !== "Problem" && (schema.type !== "object" || schema.additionalProperties !== false || !schema.required)) found.push(`${name} is open`);
  for (const [route, operation] of operations(document))
    for (const [status, response] of Object.entries(operation.responses))
      for (const [type, content] of Object.entries(response.content ?? {}))
        if (/json$/.test(type) && Object.keys(content.schema ?? {}).length === 0) found.push(`${route} ${status} may be any JSON`);
  return found;
}

function contractOf(document) {
  const contract = new Contract(document);
  contract.declared = new Set();
  for (const [, operation] of operations(document))
    for (const response of Object.values(operation.responses)) for (const code of codesOf(response)) contract.declared.add(code);
  for (const code of COMMON) contract.declared.delete(code);
  return contract;
}

// Of src/core/errors.def: those that any route may end in, so that they need not be declared.
const COMMON = readFileSync(new URL("../../src/core/errors.def", import.meta.url), "utf8")
  .split("of single routes")[0]
  .match(/^ERR\((\w+)/gm)
  .map((l) => l.slice(4).toLowerCase());

for (const fault of await faultsOf(openapi)) fail(`the document: ${fault}`);
const contract = contractOf(openapi);
const reached = new Set();
const samples = new Map(); // what an exchange reaches -> the first that does
let exchanges = 0;
for (const file of readdirSync(records).filter((f) => f.endsWith(".jsonl")))
  for (const line of readFileSync(join(records, file), "utf8").split("\n").filter(Boolean)) {
    const x = JSON.parse(line);
    const own = new Set();
    const wrong = judge(contract, x, own);
    exchanges++;
    for (const sentence of wrong) fail(sentence);
    if (wrong.length === 0) passed++;
    for (const name of own) {
      reached.add(name);
      if (wrong.length === 0 && !samples.has(name)) samples.set(name, x);
    }
  }
const promises = promisesOf(openapi);
for (const name of promises)
  if (reached.has(name)) passed++;
  else fail(`no test reached: ${name}`);

// --- the proof that it can fail ------------------------------------------------------------------

const spoil = (x, change) => {
  const copy = structuredClone(x);
  change(copy);
  return copy;
};
const inJson = (change) => (x) => {
  const value = JSON.parse(x.reply);
  change(value);
  x.reply = JSON.stringify(value);
};

// Which exchange, how it is spoilt, what must be said.
const CONTROLS = [
  ["GET /v1/me 200", inJson((v) => (v.password_hash = "x")), /additional properties/],
  ["GET /v1/me 200", inJson((v) => delete v.email), /required property 'email'/],
  ["GET /v1/me 200", inJson((v) => (v.created = "yesterday")), /date-time/],
  ["GET /v1/me 200", inJson((v) => (v.id = "pst_01h4aaaaaaaaa")), /pattern/],
  ["GET /v1/creators 200", inJson((v) => (v.total = 3)), /additional properties/],
  ["GET /v1/me 200", (x) => (x.reply = "{"), /no JSON/],
  ["GET /v1/me 200", (x) => (x.reply = null), /no JSON/],
  ["GET /v1/me 200", (x) => (x.type = "text/html"), /not JSON/],
  ["GET /v1/me 200", (x) => (x.status = 203), /203, which is not documented/],
  ["GET /v1/me 200", (x) => (x.route = "/v1/you"), /in the document/],
  ["GET /v1/me 200", (x) => (x.target = x.route = "/v1/secret"), /not documented/],
  ["GET /v1/me 200", (x) => (x.target += "?deep=1"), /parameter deep/],
  ["GET /v1/me 200", (x) => delete x.headers.ETag, /has no etag/],
  ["GET /v1/me 200", (x) => (x.headers["X-Debug"] = "1"), /header x-debug/],
  ["GET /v1/me 200", (x) => (x.headers["Set-Cookie"] = "sid=1"), /header set-cookie/],
  ["GET /v1/me 200", (x) => delete x.headers["Content-Security-Policy"], /has no content-security-policy/],
  ["GET /v1/me 401 signed_out", (x) => delete x.headers["WWW-Authenticate"], /has no WWW-Authenticate/],
  ["GET /v1/me 401 signed_out", (x) => (x.type = "application/json"), /not problem/],
  ["GET /v1/me 401 signed_out", inJson((v) => (v.code = "taken")), /which it does not declare/],
  ["GET /v1/me 401 signed_out", inJson((v) => (v.code = "made_up")), /allowed values/],
  ["GET /v1/me 401 signed_out", inJson((v) => (v.status = 403)), /the problem says 403/],
  ["GET /v1/me 401 signed_out", inJson((v) => (v.stack = "main.c")), /evaluated|additional/],
  ["error method_not_allowed", (x) => delete x.headers.Allow, /has no Allow/],
  ["DELETE /v1/posts/{post} 204", (x) => (x.reply = "{}"), /body, which is not documented/],
  ["POST /v1/accounts 201", (x) => (x.sent = JSON.stringify({ ...JSON.parse(x.sent), role: "admin" })), /took a body/],
  ["event media.ready", (x) => (x.stream = x.stream.replace(/event: media.ready\ndata: .*/, "event: media.ready\ndata: {}")), /event media.ready/],
  ["event media.ready", (x) => (x.stream = x.stream.replaceAll("event: media.ready", "event: media.leaked")), /not documented/],
  ["event media.ready", (x) => (x.stream = x.stream.replaceAll(/^id: .*\n/gm, "")), /has no id/],
];
const DOCUMENTS = [
  [(d) => (d.openapi = "9.9"), /no OpenAPI/],
  [(d) => delete d.paths["/v1/me"].get.responses, /no OpenAPI/],
  [(d) => delete d.components.schemas.Me.additionalProperties, /Me is open/],
  [(d) => (d.paths["/v1/me"].get.responses["200"].content["application/json"].schema = {}), /any JSON/],
];

for (const [name, change, sentence] of CONTROLS) {
  const sample = samples.get(name);
  const wrong = sample ? judge(contract, spoil(sample, change), new Set()) : [];
  if (sample && judge(contract, sample, new Set()).length === 0 && wrong.some((w) => sentence.test(w))) passed++;
  else fail(`this would not be found: ${name}, ${change.toString().replace(/\s+/g, " ")}: ${sample ? wrong.join("; ") || "nothing was said" : "no such exchange"}`);
}
for (const [change, sentence] of DOCUMENTS) {
  const spoilt = spoil(openapi, change);
  const found = await faultsOf({ ...spoilt, paths: Object.fromEntries(Object.entries(spoilt.paths).map(([p, i]) => [p, i])) }).catch((e) => [`it is no OpenAPI: ${e.message}`]);
  if (found.some((f) => sentence.test(f))) passed++;
  else fail(`this would not be found: ${change}`);
}
// Each promise must be missed when its exchanges are taken away: none is reached by another's.
const grown = structuredClone(openapi);
grown.paths["/v1/me"].get.responses["418"] = { description: "x", content: { "application/problem+json": { schema: { properties: { code: { enum: ["teapot"] } } } } } };
grown["x-events"].teapot = {};
grown.paths["/v1/teapot"] = { get: { responses: { default: { $ref: "#/components/responses/Problem" } } } };
const unmet = [...promisesOf(grown)].filter((name) => !reached.has(name) && !promises.has(name));
if (unmet.join() === "GET /v1/me 418,GET /v1/me 418 teapot,GET /v1/teapot,event teapot") passed++;
else fail(`this would not be found: a route, a status, an error and an event that no test reaches: ${unmet.join()}`);

for (const [sentence, times] of failures) console.log(`FAIL ${sentence}${times > 1 ? ` (${times} times)` : ""}`);
console.log(`${exchanges} exchanges; ${promises.size} routes, statuses, errors and events to reach; ${CONTROLS.length + DOCUMENTS.length + 1} controls`);
console.log(`${passed} passed, ${failures.size} failed`);
process.exit(failures.size > 0 || exchanges === 0 ? 1 : 0);
