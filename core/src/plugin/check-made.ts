/** Judges what a plugin's `create` gave: an object with every method of its kind. Finds all faults at once. */

import type { Fault } from "./check-definition.js";
import type { PluginKind } from "./contract.js";
import { type Method, methods } from "./methods.js";

/** Empty for an object that can be used. */
export function madeFaults(made: unknown, kind: PluginKind): readonly Fault[] {
  if (made instanceof Promise || (isObject(made) && typeof Reflect.get(made, "then") === "function")) {
    // It may reject later, and nobody would hear of it: that must not end the process.
    Promise.resolve(made).catch(() => {});
    return [{ code: "PLUGIN_CREATE_ASYNC", what: "its create() gave a promise" }];
  }
  if (!isObject(made)) {
    const found = made === null ? "null" : typeof made;
    return [{ code: "PLUGIN_CREATE_NOTHING", what: `its create() gave ${found} instead of an object` }];
  }
  const all = Object.entries<Method>(methods[kind]);
  const missing = all.filter(([name, { required }]) => required && Reflect.get(made, name) === undefined);
  const wrong = all.filter(([name]) => !["function", "undefined"].includes(typeof Reflect.get(made, name)));
  const greedy = all.filter(([name, { given }]) => wantedBy(Reflect.get(made, name)) > given);
  const names = (of: typeof all) => of.map(([name]) => name).join(", ");
  const faults: (Fault | undefined)[] = [
    missing.length === 0
      ? undefined
      : { code: "PLUGIN_METHOD_MISSING", what: `what it made has no ${names(missing)}, and a ${kind} has` },
    wrong.length === 0
      ? undefined
      : { code: "PLUGIN_METHOD_WRONG", what: `of what it made these are no functions: ${names(wrong)}` },
    greedy.length === 0
      ? undefined
      : {
          code: "PLUGIN_METHOD_ARGUMENTS",
          what: `these want more arguments than are given: ${wants(greedy, made)}`,
        },
  ];
  return faults.flatMap((fault) => fault ?? []);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Arguments without a default: what JavaScript itself counts. */
function wantedBy(method: unknown): number {
  return typeof method === "function" ? method.length : 0;
}

function wants(greedy: readonly (readonly [string, Method])[], made: object): string {
  return greedy
    .map(([name, { given }]) => `${name} wants ${wantedBy(Reflect.get(made, name))} and gets ${given}`)
    .join(", ");
}
