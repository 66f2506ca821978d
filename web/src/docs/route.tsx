/* route.tsx -- one route of the reference: what it takes, what it answers, how it can refuse. */
/* SPDX-License-Identifier: Apache-2.0 */
import type { ReactNode } from "react";
import { cx } from "@/ui/cx";
import {
  answerOf,
  codesOf,
  limitsOf,
  parameterOf,
  resolve,
  shapeOf,
  typeOf,
  type Document,
  type Listed,
  type Parameter,
  type Schema,
} from "./openapi";

const tones: Record<string, string> = {
  GET: "text-good",
  POST: "text-glow",
  PUT: "text-glow",
  PATCH: "text-glow",
  DELETE: "text-danger",
};

const who: Record<string, string> = {
  anyone: "anyone",
  fan: "whoever is logged in",
  creator: "creators",
  moderator: "moderators",
  admin: "administrators",
  signed: "the payment provider, by its signature",
  development: "development mode only",
};

export function Method({ method, small }: { method: string; small?: boolean }) {
  return (
    <span
      className={cx(
        "shrink-0 font-mono font-bold",
        small ? "w-10 text-[0.6875rem]" : "text-sm",
        tones[method],
      )}
    >
      {small && method === "DELETE" ? "DEL" : method}
    </span>
  );
}

function Member({
  name,
  schema,
  required,
  children,
}: {
  name: string;
  schema: Schema | undefined;
  required: boolean;
  children?: ReactNode;
}) {
  const limits = schema ? limitsOf(schema) : "";
  return (
    <li className="border-line py-2.5 not-first:border-t">
      <p className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
        <code className="font-mono text-sm font-semibold">
          {name}
          {!required && (
            <span className="font-normal text-faint" title="May be left out">
              ?
            </span>
          )}
        </code>
        <code className="min-w-0 break-words font-mono text-[0.8125rem] text-glow">
          {typeOf(schema)}
        </code>
        {limits && <span className="text-[0.8125rem] text-faint">{limits}</span>}
      </p>
      {schema?.description && <p className="mt-0.5 text-sm text-muted">{schema.description}</p>}
      {children}
    </li>
  );
}

/* The members of a shape; shapes within it unfold when asked, so that one that holds itself does no harm. */
export function Members({
  document,
  schema,
  depth = 0,
}: {
  document: Document;
  schema: Schema;
  depth?: number;
}) {
  const found = resolve(document, schema);
  const required = new Set(found?.required ?? []);
  return (
    <ul>
      {Object.entries(found?.properties ?? {}).map(([name, member]) => {
        const inner = depth < 4 ? shapeOf(document, member) : undefined;
        return (
          <Member key={name} name={name} schema={member} required={required.has(name)}>
            {inner && (
              <details className="mt-1.5">
                <summary className="w-fit rounded py-0.5 text-sm text-muted hover:text-text">
                  Members of {inner.name || name}
                </summary>
                <div className="mt-1 border-l-2 border-line pl-4">
                  <Members document={document} schema={inner.schema} depth={depth + 1} />
                </div>
              </details>
            )}
          </Member>
        );
      })}
    </ul>
  );
}

function Part({ title, aside, children }: { title: string; aside?: string; children?: ReactNode }) {
  return (
    <div className="border-t border-line px-5 py-4">
      <p className="mb-1 flex items-baseline justify-between gap-4 text-sm">
        <span className="font-semibold">{title}</span>
        {aside && (
          <code className="min-w-0 truncate font-mono text-[0.8125rem] text-muted">{aside}</code>
        )}
      </p>
      {children}
    </div>
  );
}

/* A body sent or answered. The members of an answer unfold; those of what one has to send are open. */
function Payload({
  document,
  title,
  content,
  description,
  folded = false,
}: {
  document: Document;
  title: string;
  content: Record<string, { schema?: Schema }>;
  description?: string | undefined;
  folded?: boolean;
}) {
  return Object.entries(content).map(([type, { schema }]) => {
    const shape = shapeOf(document, schema);
    const members = shape && <Members document={document} schema={shape.schema} />;
    return (
      <Part
        key={type}
        title={title}
        aside={[type === "application/json" ? "" : type, typeOf(schema)]
          .filter(Boolean)
          .join(" · ")}
      >
        {description && description !== "Done" && (
          <p className="text-sm text-muted">{description}</p>
        )}
        {members && folded ? (
          <details>
            <summary className="w-fit rounded py-0.5 text-sm text-muted hover:text-text">
              Members{shape.name && ` of ${shape.name}`}
            </summary>
            {members}
          </details>
        ) : (
          members
        )}
      </Part>
    );
  });
}

function Parameters({
  parameters,
  place,
  title,
}: {
  parameters: Parameter[];
  place: string;
  title: string;
}) {
  const those = parameters.filter((parameter) => parameter.in === place);
  if (those.length === 0) return null;
  return (
    <Part title={title}>
      <ul>
        {those.map(({ name, schema, description, required }) => (
          <Member
            key={name}
            name={name}
            schema={{ ...schema, ...(description ? { description } : {}) }}
            required={required ?? false}
          />
        ))}
      </ul>
    </Part>
  );
}

export function Route({ document, route }: { document: Document; route: Listed }) {
  const { operation } = route;
  const parameters = (operation.parameters ?? []).map((parameter) =>
    parameterOf(document, parameter),
  );
  const answers = Object.entries(operation.responses ?? {}).map(
    ([status, answer]) => [status, answerOf(document, answer)] as const,
  );
  const good = answers
    .filter(([status]) => status.startsWith("2") || status.startsWith("3"))
    .map(([status, answer], i, all) => {
      /* 202 has the body of the other success; it is shown once. */
      const same = i > 0 && JSON.stringify(answer.content) === JSON.stringify(all[0]?.[1].content);
      return [status, same ? { ...answer, content: {} } : answer] as const;
    });
  const bad = answers.filter(([status]) => /^[45]/.test(status));
  const codes = codesOf(operation);
  return (
    <article
      id={route.id}
      aria-label={`${route.method} ${route.path}`}
      className="scroll-mt-20 overflow-hidden rounded-card border border-line bg-surface shadow-card target:border-glow"
    >
      <div className="px-5 py-4">
        <h3 className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
          <Method method={route.method} />
          <a
            href={`#${route.id}`}
            className="min-w-0 break-all rounded font-mono text-[0.9375rem] font-semibold underline-offset-4 hover:underline"
          >
            {route.path}
          </a>
        </h3>
        {operation.summary && <p className="mt-1.5">{operation.summary}</p>}
        {operation.description && operation.description !== operation.summary && (
          <p className="mt-1.5 whitespace-pre-line text-[0.9375rem] text-muted">
            {operation.description}
          </p>
        )}
        {operation["x-who"] && (
          <p className="mt-1.5 text-sm text-muted">
            For {who[operation["x-who"]] ?? operation["x-who"]}
          </p>
        )}
      </div>
      <Parameters parameters={parameters} place="path" title="In the path" />
      <Parameters parameters={parameters} place="query" title="In the query" />
      <Parameters parameters={parameters} place="header" title="Headers" />
      {operation.requestBody?.content && (
        <Payload
          document={document}
          title="Body"
          content={operation.requestBody.content}
          description={operation.requestBody.description}
        />
      )}
      {good.map(([status, answer]) =>
        answer.content && Object.keys(answer.content).length > 0 ? (
          <Payload
            key={status}
            document={document}
            title={`Answers ${status}`}
            folded
            content={answer.content}
            description={answer.description}
          />
        ) : (
          <Part key={status} title={`Answers ${status}`}>
            <p className="text-sm text-muted">{answer.description || "Without a body."}</p>
          </Part>
        ),
      )}
      {(codes.length > 0 || bad.length > 0) && (
        <Part title="Refuses with">
          <ul className="mt-1.5 flex flex-wrap gap-2">
            {codes.map((code) => (
              <li key={code}>
                <a
                  href={`#error-${code}`}
                  className="block rounded-full bg-raised px-3 py-1 font-mono text-[0.8125rem] text-muted hover:text-text"
                >
                  {code}
                </a>
              </li>
            ))}
            {codes.length === 0 &&
              bad.map(([status, answer]) => (
                <li
                  key={status}
                  className="rounded-full bg-raised px-3 py-1 text-[0.8125rem] text-muted"
                >
                  {status} {answer.description}
                </li>
              ))}
          </ul>
        </Part>
      )}
    </article>
  );
}
