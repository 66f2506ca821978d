/* openapi.ts -- the parts of an OpenAPI 3.1 document that the reference page reads. */
/* SPDX-License-Identifier: Apache-2.0 */

export interface Schema {
  $ref?: string;
  title?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: (string | number | null)[];
  const?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  pattern?: string;
  default?: unknown;
  examples?: unknown[];
  example?: unknown;
}

export interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

export interface Content {
  schema?: Schema;
}

export interface Answer {
  $ref?: string;
  description?: string;
  content?: Record<string, Content>;
}

export interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { required?: boolean; description?: string; content?: Record<string, Content> };
  responses?: Record<string, Answer>;
  security?: Record<string, string[]>[];
  /* Who may call it. */
  "x-who"?: string;
}

export interface Document {
  openapi: string;
  info: { title: string; version: string; description?: string };
  servers?: { url: string }[];
  tags?: { name: string; description?: string }[];
  paths?: Record<string, Record<string, unknown>>;
  components?: {
    schemas?: Record<string, Schema>;
    parameters?: Record<string, Parameter>;
    responses?: Record<string, Answer>;
  };
  /* Every error of the program. */
  "x-errors"?: ErrorRow[];
  /* What the event stream tells. */
  "x-events"?: Record<string, Schema>;
}

export interface Listed {
  id: string;
  method: string;
  path: string;
  tag: string;
  operation: Operation;
}

export interface ErrorRow {
  code: string;
  status?: number;
  title?: string;
}

const methods = ["get", "post", "put", "patch", "delete"];

/* "#/components/schemas/Post" -> "Post" */
export const refName = (ref: string) => ref.slice(ref.lastIndexOf("/") + 1);

export function resolve(document: Document, schema: Schema | undefined): Schema | undefined {
  let found = schema;
  for (let hops = 0; found?.$ref && hops < 8; hops++)
    found = document.components?.schemas?.[refName(found.$ref)];
  return found;
}

export function parameterOf(document: Document, parameter: Parameter): Parameter {
  return parameter.$ref
    ? (document.components?.parameters?.[refName(parameter.$ref)] ?? parameter)
    : parameter;
}

export function answerOf(document: Document, answer: Answer): Answer {
  return answer.$ref ? (document.components?.responses?.[refName(answer.$ref)] ?? answer) : answer;
}

/* The word after /v1/, for documents without tags. */
const placeOf = (path: string) =>
  path.split("/").filter(Boolean)[path.startsWith("/v1/") ? 1 : 0] ?? "system";

export function listOf(document: Document): Listed[] {
  const found: Listed[] = [];
  for (const [path, item] of Object.entries(document.paths ?? {}))
    for (const method of methods) {
      const operation = item[method] as Operation | undefined;
      if (!operation) continue;
      const id = `${method}-${path}`.replace(/[^a-zA-Z0-9]+/g, "-").replace(/^-|-$/g, "");
      found.push({
        id,
        method: method.toUpperCase(),
        path,
        tag: operation.tags?.[0] ?? placeOf(path),
        operation,
      });
    }
  return found;
}

/* Routes under their tags, the tags in the document's own order. */
export function groupsOf(
  document: Document,
  list: Listed[],
): { tag: string; description: string | undefined; routes: Listed[] }[] {
  const order = [
    ...(document.tags ?? []).map((tag) => tag.name),
    ...list.map((route) => route.tag),
  ];
  return [...new Set(order)]
    .map((tag) => ({
      tag,
      description: document.tags?.find((one) => one.name === tag)?.description,
      routes: list.filter((route) => route.tag === tag),
    }))
    .filter((group) => group.routes.length > 0);
}

/* The codes that one status of one route stands for: its problem narrows the member `code`. */
const codesIn = (answer: Answer): string[] =>
  Object.values(answer.content ?? {})
    .flatMap(({ schema }) => schema?.properties?.code?.enum ?? [])
    .filter((code): code is string => typeof code === "string");

export const codesOf = (operation: Operation): string[] => [
  ...new Set(Object.values(operation.responses ?? {}).flatMap(codesIn)),
];

/* Every error code. Statuses and sentences stand in the document's own list or, failing that, with the routes: a status with
 * several codes has their sentences in the same order, joined by "Or:". */
export function errorsOf(document: Document, list: Listed[]): ErrorRow[] {
  if (document["x-errors"]) return document["x-errors"];
  const rows = new Map<string, ErrorRow>();
  for (const code of document.components?.schemas?.Problem?.properties?.code?.enum ?? [])
    if (typeof code === "string") rows.set(code, { code });
  for (const { operation } of list)
    for (const [status, answer] of Object.entries(operation.responses ?? {})) {
      const codes = codesIn(answer);
      const sentences = answer.description?.split(" Or: ") ?? [];
      codes.forEach((code, i) => {
        const title = sentences.length === codes.length ? sentences[i] : undefined;
        rows.set(code, { code, status: Number(status), ...(title ? { title } : {}) });
      });
    }
  return [...rows.values()];
}

/* A type as one reads it: "string", "Post[]", "\"draft\" | \"published\"". */
export function typeOf(schema: Schema | undefined): string {
  if (!schema) return "";
  if (schema.$ref) return refName(schema.$ref);
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map(typeOf).join(" | ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" & ");
  const items = schema.properties?.items;
  if (items && schema.properties?.next) return `Page of ${typeOf(items.items)}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const types = Array.isArray(schema.type)
    ? schema.type
    : [schema.type ?? (schema.properties ? "object" : schema.items ? "array" : "any")];
  return types.map((type) => (type === "array" ? `${typeOf(schema.items)}[]` : type)).join(" | ");
}

/* What a value must keep to, in a few words. */
export function limitsOf(schema: Schema): string {
  const limits: string[] = [];
  if (schema.format) limits.push(schema.format);
  if (schema.minimum !== undefined) limits.push(`from ${schema.minimum}`);
  if (schema.maximum !== undefined) limits.push(`to ${schema.maximum}`);
  if (schema.minLength) limits.push(`at least ${schema.minLength} characters`);
  if (schema.maxLength !== undefined) limits.push(`at most ${schema.maxLength} characters`);
  if (schema.minItems) limits.push(`at least ${schema.minItems}`);
  if (schema.maxItems !== undefined) limits.push(`at most ${schema.maxItems}`);
  if (schema.pattern) limits.push(`like ${schema.pattern}`);
  if (schema.default !== undefined) limits.push(`else ${JSON.stringify(schema.default)}`);
  return limits.join(", ");
}

/* The named shape behind a schema, through lists and unions, to be shown below it. */
export function shapeOf(
  document: Document,
  schema: Schema | undefined,
): { name: string; schema: Schema } | undefined {
  if (!schema) return undefined;
  if (schema.$ref) {
    const found = resolve(document, schema);
    return found?.properties
      ? { name: refName(schema.$ref), schema: found }
      : shapeOf(document, found);
  }
  if (schema.items) return shapeOf(document, schema.items);
  if (schema.properties) return { name: "", schema };
  for (const one of schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []) {
    const found = shapeOf(document, one);
    if (found) return found;
  }
  return undefined;
}
