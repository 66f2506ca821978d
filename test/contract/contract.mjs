// contract.mjs -- every answer of the test run against the printed OpenAPI 3.1, by validators that are not ours.
// SPDX-License-Identifier: Apache-2.0
//
//   node contract.mjs OPENAPI RECORDS UNREACHED
//
// RECORDS: folder of *.jsonl (test/record.h). An answer that the document does not describe fails; so does a route that no
// test reached with success, and an error that a route declares and no test provoked, unless UNREACHED names it (a line
// each: "POST /v1/media storage_full  # why"). A name there that was reached fails too: the list can only shrink.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { Validator } from "@seriousme/openapi-schema-validator";

const [documentFile, records, unreachedFile] = process.argv.slice(2);
const openapi = JSON.parse(readFileSync(documentFile, "utf8"));
let passed = 0;
const failures = new Map(); // sentence -> times
const fail = (sentence) => failures.set(sentence, (failures.get(sentence) ?? 0) + 1);

const document = await new Validator().validate(structuredClone(openapi));
if (document.valid) passed++;
else fail(`the document is no OpenAPI: ${JSON.stringify(document.errors).slice(0, 800)}`);

// The document is one schema resource; each part of it is compiled by its JSON pointer.
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
addFormats(ajv);
ajv.addSchema({ ...openapi, $id: "https://stagedoor.invalid/openapi.json" });
const compiled = new Map();
const pointer = (...parts) => "#/" + parts.map((p) => encodeURIComponent(p.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
function check(at, value) {
  if (!compiled.has(at)) compiled.set(at, ajv.compile({ $ref: "https://stagedoor.invalid/openapi.json" + at }));
  const validate = compiled.get(at);
  return validate(value) ? null : ajv.errorsText(validate.errors).slice(0, 300);
}

// Templates, the literal ones first: /v1/sessions/current before /v1/sessions/{session}.
const templates = Object.keys(openapi.paths)
  .map((path) => ({ path, pattern: new RegExp("^" + path.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\w+\}/g, "[^/]+") + "$") }))
  .sort((a, b) => a.path.split("{").length - b.path.split("{").length);
const templateOf = (target) => templates.find((t) => t.pattern.test(target.split("?")[0]))?.path;

const succeeded = new Set();
const provoked = new Set();
const isJson = (type) => /^application\/(problem\+)?json/.test(type ?? "");

function checkReply(x, route, path, method, operation) {
  const key = operation.responses[x.status] ? String(x.status) : x.status >= 400 ? "default" : null;
  if (key === null || !operation.responses[key]) return fail(`${route} answered ${x.status}, which is not documented`);
  if (x.status < 400) succeeded.add(route);
  if (!isJson(x.type) || x.reply === null) return void passed++;
  const type = x.type.split(";")[0];
  const body = JSON.parse(x.reply);
  if (x.status >= 400) provoked.add(`${route} ${body.code}`);
  const response = operation.responses[key];
  const described = response.$ref ? openapi.components.responses[response.$ref.split("/").pop()] : response;
  if (described.content?.["*/*"]) return void passed++; // bytes: nothing is promised of them
  if (!described.content?.[type]) return fail(`${route} ${x.status} answered ${type}, which is not documented`);
  if (!described.content[type].schema) return void passed++;
  const at = response.$ref ? response.$ref + "/content/" + type.replaceAll("/", "~1") + "/schema" : pointer("paths", path, method, "responses", key, "content", type, "schema");
  let wrong = check(at, body);
  // A common error may have the status of a declared one.
  if (wrong !== null && x.status >= 400 && key !== "default") wrong = check(openapi.components.responses.Problem ? "#/components/schemas/Problem" : at, body);
  if (wrong !== null) fail(`${route} ${x.status}: ${wrong}: ${x.reply.slice(0, 200)}`);
  else passed++;
}

function checkSent(x, route, path, method, operation) {
  const content = operation.requestBody?.content?.["application/json"];
  if (!content || x.status >= 300 || x.sent === null) return;
  const wrong = check(pointer("paths", path, method, "requestBody", "content", "application/json", "schema"), JSON.parse(x.sent));
  if (wrong !== null) fail(`${route} took a body that the document refuses: ${wrong}: ${x.sent.slice(0, 200)}`);
  else passed++;
}

let exchanges = 0;
for (const file of readdirSync(records).filter((f) => f.endsWith(".jsonl")))
  for (const line of readFileSync(join(records, file), "utf8").split("\n").filter(Boolean)) {
    const x = JSON.parse(line);
    const path = templateOf(x.target);
    const method = x.method.toLowerCase();
    const operation = path && openapi.paths[path][method];
    exchanges++;
    if (!operation) {
      if (x.status < 400) fail(`${x.method} ${x.target} answered ${x.status}, but is not documented`);
      continue;
    }
    const route = `${x.method} ${path}`;
    checkReply(x, route, path, method, operation);
    checkSent(x, route, path, method, operation);
  }

const excused = new Set(
  readFileSync(unreachedFile, "utf8").split("\n").map((l) => l.split("#")[0].trim().replace(/\s+/g, " ")).filter(Boolean),
);
const reach = (name, reached, sentence) => {
  if (reached && excused.has(name)) fail(`${name} was reached: take it out of ${unreachedFile}`);
  else if (!reached && !excused.has(name)) fail(sentence);
  else passed++;
  excused.delete(name);
};
for (const [path, operations] of Object.entries(openapi.paths))
  for (const [method, operation] of Object.entries(operations)) {
    if (!operation.responses) continue;
    const route = `${method.toUpperCase()} ${path}`;
    reach(route, succeeded.has(route), `${route}: no test reached it with success`);
    for (const response of Object.values(operation.responses))
      for (const code of response.content?.["application/problem+json"]?.schema?.properties?.code?.enum ?? [])
        reach(`${route} ${code}`, provoked.has(`${route} ${code}`), `${route}: no test provoked "${code}", which it declares`);
  }
for (const name of excused) fail(`${unreachedFile} names "${name}", which is not in the document`);

for (const [sentence, times] of failures) console.log(`${sentence}${times > 1 ? ` (${times} times)` : ""}`);
console.log(`${exchanges} exchanges, ${succeeded.size} routes, ${provoked.size} declared or common errors seen`);
console.log(`${passed} passed, ${failures.size} failed`);
process.exit(failures.size > 0 || exchanges === 0 ? 1 : 0);
