/** The OpenAPI 3.1 document, made from the routes themselves and the schemas that check their requests. */

import { z } from "@understudy/core/public";
import { type ProblemCode, problemCodes } from "./problems.js";
import type { AnswerDescription, PartShapes, Route } from "./route.js";
import { problem } from "./schemas.js";

export const documentPath = "/v1/openapi.json";

export function openApiDocument(routes: readonly Route[], authentication: "token" | "none"): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const methods = paths[route.path] ?? {};
    methods[route.method.toLowerCase()] = operation(route, authentication);
    paths[route.path] = methods;
  }
  paths[documentPath] = { get: documentOperation };
  return {
    openapi: "3.1.0",
    info: {
      title: "Understudy session broker",
      version: "1",
      description:
        "Sessions of a remote-desktop cluster, kept by two machines under one address. A request that fails with " +
        "notActive, frozen or a reset connection may be repeated at once: give creates an Idempotency-Key.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      schemas: components(routes),
      ...(authentication === "token"
        ? { securitySchemes: { token: { type: "http", scheme: "bearer" } } }
        : {}),
    },
  };
}

const documentOperation = {
  operationId: "getOpenApi",
  summary: "This document; needs no token",
  security: [],
  responses: {
    200: { description: "OpenAPI 3.1", content: { "application/json": { schema: { type: "object" } } } },
  },
};

function operation(route: Route, authentication: "token" | "none"): object {
  const { body } = route.shapes;
  return {
    operationId: route.operationId,
    summary: route.summary,
    parameters: parameters(route.shapes),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: jsonSchema(body, "input") } },
          },
        }),
    responses: { ...answers(route.answers), ...problems(route, authentication) },
    security: authentication === "token" && route.scope !== undefined ? [{ token: [] }] : [],
  };
}

function parameters(shapes: PartShapes): object[] {
  const places = [
    ["params", "path"],
    ["query", "query"],
    ["headers", "header"],
  ] as const;
  return places.flatMap(([part, place]) => {
    const shape = shapes[part];
    if (shape === undefined) return [];
    const { properties = {}, required = [] } = jsonSchema(shape, "input") as {
      properties?: Record<string, { description?: string }>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, { description, ...schema }]) => ({
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }));
  });
}

function answers(described: Readonly<Record<number, AnswerDescription>>): object {
  return Object.fromEntries(
    Object.entries(described).map(([status, { description, schema, headers = {} }]) => [
      status,
      {
        description,
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, text]) => [
            name,
            { description: text, schema: { type: "string" } },
          ]),
        ),
        content: { "application/json": { schema: reference(schema) } },
      },
    ]),
  );
}

/** Problems of one status are told apart by their code. */
function problems(route: Route, authentication: "token" | "none"): object {
  const tokenCodes: readonly ProblemCode[] = ["noToken", "wrongToken", "readOnlyToken"];
  const codes = route.problems.filter((code) => authentication === "token" || !tokenCodes.includes(code));
  const byStatus = Map.groupBy(codes, (code) => problemCodes[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [
      status,
      {
        description: same.map((code) => `${code}: ${problemCodes[code].title}.`).join(" "),
        content: { "application/problem+json": { schema: reference(problem) } },
      },
    ]),
  );
}

function components(routes: readonly Route[]): object {
  const named = new Map<string, object>();
  const all = [
    problem,
    ...routes.flatMap(({ answers }) => Object.values(answers).map(({ schema }) => schema)),
  ];
  for (const schema of all) {
    // What a schema refers to comes along under $defs, as JSON schema has it.
    const { $defs = {}, ...own } = jsonSchema(schema, "output") as { $defs?: Record<string, object> };
    for (const [name, shape] of Object.entries($defs)) named.set(name, relocated(shape));
    named.set(nameOf(schema), relocated(own));
  }
  return Object.fromEntries(named);
}

function jsonSchema(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-2020-12", io });
  return rest;
}

function relocated(shape: object): object {
  return JSON.parse(JSON.stringify(shape).replaceAll("#/$defs/", "#/components/schemas/"));
}

function nameOf(schema: z.ZodType): string {
  const name = z.globalRegistry.get(schema)?.id;
  if (typeof name !== "string") throw new Error("a schema of an answer has no name");
  return name;
}

function reference(schema: z.ZodType): object {
  return { $ref: `#/components/schemas/${nameOf(schema)}` };
}
