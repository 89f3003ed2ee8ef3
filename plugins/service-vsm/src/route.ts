/**
 * What a route of the API is: one value that holds its place, who may ask, the shapes of its parts and its handler.
 * Requests are checked, and the OpenAPI document is made, from the same value.
 */

import type { z } from "@understudy/core/public";
import { type ProblemCode, RequestRefused } from "./problems.js";

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AnswerDescription {
  readonly description: string;
  readonly schema: z.ZodType;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The parts of a request as they came. */
export interface Parts {
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly body: unknown;
}

export type PartShapes = { readonly [Part in keyof Parts]?: z.ZodType };

export interface RouteDescription {
  readonly method: "GET" | "POST" | "DELETE";
  /** As OpenAPI writes it: /v1/sessions/{id} */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** Undefined: no token is asked for, at whatever address and in whatever role. */
  readonly scope: "read" | "write" | undefined;
  readonly shapes: PartShapes;
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  readonly problems: readonly ProblemCode[];
}

export interface Route extends RouteDescription {
  /** Rejects with RequestRefused. */
  answer(parts: Parts): Promise<Answer>;
}

type Checked<S extends PartShapes> = {
  readonly [Part in keyof S]: S[Part] extends z.ZodType ? z.infer<S[Part]> : never;
};

export function defineRoute<const S extends PartShapes>(
  description: RouteDescription & {
    readonly shapes: S;
    handle(request: Checked<S>): Promise<Answer>;
  },
): Route {
  return {
    ...description,
    answer: async (parts) => description.handle(check(description.shapes, parts) as Checked<S>),
  };
}

/** Every mistake of the request at once, each with its place. */
function check(shapes: PartShapes, parts: Parts): Record<string, unknown> {
  const checked: Record<string, unknown> = {};
  const mistakes: string[] = [];
  for (const [part, shape] of Object.entries(shapes) as [keyof Parts, z.ZodType][]) {
    const result = shape.safeParse(parts[part]);
    if (result.success) checked[part] = result.data;
    else
      mistakes.push(
        ...result.error.issues.map((issue) => `${[part, ...issue.path].join(".")}: ${issue.message}`),
      );
  }
  if (mistakes.length > 0) throw new RequestRefused("invalid", mistakes.join("; "));
  return checked;
}
