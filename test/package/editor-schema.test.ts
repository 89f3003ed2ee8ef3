/**
 * What strangers may do with zod in the schema of their options, and what becomes of it in the schema for editors: it
 * must still be one that any validator reads, and never stricter than zod itself.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { editorSchemaOf } from "@understudy/core/internal/config/editor-schema";
import { fileJsonSchema } from "@understudy/core/internal/config/json-schema";
import { z } from "@understudy/core/public";
import { Ajv2020 } from "ajv/dist/2020.js";

interface Tree {
  readonly name: string;
  readonly below?: readonly Tree[] | undefined;
}
const tree: z.ZodType<Tree> = z.strictObject({
  name: z.string(),
  get below() {
    return z.array(tree).optional();
  },
});

const right = { speed: 3 };
const cases: Readonly<Record<string, readonly [z.ZodType, readonly unknown[]]>> = {
  "a pattern with a flag": [z.strictObject({ a: z.string().regex(/^[a-z]+$/i) }), [{ a: "ABC" }]],
  "a pattern that is none with the flag u": [
    z.strictObject({ a: z.string().regex(/^@[\w-.]$/) }),
    [{ a: "@a" }],
  ],
  "several patterns, one with a flag": [
    z.strictObject({ a: z.string().regex(/a/i).regex(/b/) }),
    [{ a: "Ab" }],
  ],
  "a text that is trimmed first": [
    z.strictObject({ a: z.string().trim().max(2).regex(/^b/) }),
    [{ a: "  b  " }],
  ],
  "a text in small letters": [z.strictObject({ a: z.string().toLowerCase().regex(/^b$/) }), [{ a: "B" }]],
  "a number that may be a text": [z.strictObject({ a: z.coerce.number().min(3) }), [{ a: "7" }, { a: [4] }]],
  "a text out of anything": [z.strictObject({ a: z.coerce.string() }), [{ a: 7 }, { a: null }]],
  "a value put right": [z.strictObject({ a: z.number().catch(3) }), [{ a: "x" }, {}]],
  "a value changed before": [z.strictObject({ a: z.preprocess((v) => v ?? 5, z.number()) }), [{ a: 5 }, {}]],
  tenths: [z.strictObject({ a: z.number().multipleOf(0.1) }), [{ a: 0.3 }]],
  "addresses of the web": [z.strictObject({ a: z.url(), b: z.email() }), [{ a: "http://x", b: "a@b.cd" }]],
  "a map of anything": [z.record(z.string().regex(/^x/), z.number()), [{ xa: 3 }, {}]],
  "one of several shapes": [
    z.discriminatedUnion("how", [
      z.strictObject({ how: z.literal("by-mail"), to: z.string() }),
      z.strictObject({ how: z.literal("by-hand") }),
    ]),
    [{ how: "by-mail", to: "x" }, { how: "by-hand" }],
  ],
  "several shapes at once": [
    z.intersection(
      z.strictObject({ a: z.number() }).describe("One."),
      z.union([z.strictObject({ b: z.string() }), z.strictObject({ c: z.string() })]),
    ),
    [
      { a: 1, b: "x" },
      { a: 1, c: "x" },
    ],
  ],
  "a shape within itself": [
    z.strictObject({ root: tree.optional() }),
    [{ root: { name: "a", below: [{ name: "b" }] } }, {}],
  ],
  "a shape that is itself within itself": [tree, [{ name: "a", below: [{ name: "b", below: [] }] }]],
  "a shape with an id": [
    z
      .strictObject({ a: z.strictObject({ b: z.int() }).meta({ id: "test/part" }) })
      .meta({ id: "test~whole" }),
    [{ a: { b: 1 } }],
  ],
  "no options at all": [z.strictObject({}), [{}]],
  "what JSON schema has no word for": [
    z.strictObject({
      a: z.bigint().or(z.string()),
      b: z.custom<number>().optional(),
      c: z.date().optional(),
    }),
    [{ a: "x" }, { a: "x", b: 3 }],
  ],
};

for (const [what, [options, values]] of Object.entries(cases)) {
  test(`${what}: a schema that validators read, and no stricter than zod`, () => {
    const schema = editorSchemaOf(options);
    assert.ok(schema);
    const plugin = (name: string) => ({ kind: "transport" as const, names: [name], options: schema });
    const other = editorSchemaOf(z.strictObject({ speed: z.int() })) ?? {};
    const file = fileJsonSchema([plugin("odd"), plugin("./odd.js"), { ...plugin("other"), options: other }]);
    const ajv = new Ajv2020({ strict: true, strictTypes: false, strictTuples: false, strictRequired: false });
    // Whether a format is judged is each validator's choice; this one wants to be told.
    ajv.addFormat("uri", true);
    const validate = ajv.compile(file);
    const config = (entry: object) => ({
      cluster: "c",
      nodes: { a: "10.9.0.2", b: "10.9.0.3" },
      haAddress: "10.9.0.4/24",
      heartbeat: { paths: [{ class: "client", name: "a-path", ...entry }] },
    });
    for (const name of ["odd", "./odd.js"])
      for (const value of values) {
        assert.ok(options.safeParse(value).success, JSON.stringify(value));
        const valid = validate(config({ plugin: name, ...(value as object) }));
        assert.ok(valid, `${JSON.stringify(value)}: ${JSON.stringify(validate.errors)}`);
      }
    assert.ok(validate(config({ plugin: "other", ...right })));
    assert.ok(!validate(config({ plugin: "other", speed: "fast" })));
  });
}

test("what is wrong in one of several shapes, or deep in a shape within itself, is still found", () => {
  const judge = (options: z.ZodType, value: object) => {
    const schema = editorSchemaOf(options) ?? {};
    const file = fileJsonSchema([{ kind: "service", names: ["odd"], options: schema }]);
    const validate = new Ajv2020({ strictTypes: false }).compile(file);
    const nodes = { a: "10.9.0.2", b: "10.9.0.3" };
    return validate({
      cluster: "c",
      nodes,
      haAddress: "10.9.0.4/24",
      services: [{ plugin: "odd", ...value }],
    });
  };
  const [union] = cases["one of several shapes"] ?? [];
  assert.ok(union);
  assert.equal(judge(union, { how: "by-hand", to: "x" }), false);
  assert.equal(judge(tree, { name: "a", below: [{ name: "b", below: [{ name: 3 }] }] }), false);
  assert.equal(judge(tree, { name: "a", below: [{ name: "b", below: [{ name: "c" }] }] }), true);
});

test("times say what they may be in words that an editor shows", async () => {
  const { duration } = await import("@understudy/core/public");
  const schema = editorSchemaOf(
    z.strictObject({ wait: duration({ min: 5, max: 60_000 }).prefault("1s").describe("How long it waits.") }),
  );
  const { wait } = (schema as { properties: { wait: Record<string, unknown> } }).properties;
  assert.deepEqual([wait.description, wait.default], ["How long it waits. (time from 5 ms to 1 min)", "1s"]);
  assert.ok(!JSON.stringify(schema).includes("x-type"));
});
