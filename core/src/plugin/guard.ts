/**
 * Stands between the core and a plugin: what the contract forbids goes no further, is logged once with its code and
 * shown in the plugin's line of status. Stores are not guarded: each call of theirs may throw, and there are many.
 */

import type { pluginErrors } from "../errors/plugins.js";
import { pluginError } from "../errors/plugins.js";
import type { PluginKind } from "./contract.js";
import type { PluginKinds } from "./define-plugin.js";
import { methods } from "./methods.js";
import type { Log } from "./tokens.js";

type Code = keyof typeof pluginErrors;

export interface GuardOptions {
  /** "@acme/understudy-transport-x (heartbeat.paths[1])" */
  readonly who: string;
  readonly log: Log | undefined;
}

type Call = (...given: readonly unknown[]) => unknown;

/** The methods that must be done when they return, and must not throw. */
const synchronous: Readonly<Record<PluginKind, readonly string[]>> = {
  transport: ["send", "probeTarget"],
  address: [
    ...["renew", "dropLease", "armClaims", "announce"],
    ...["probeAddress", "drain", "probeNeighbours", "protections"],
  ],
  store: [],
  service: [],
  arbiter: [],
  fence: [],
  observer: [],
};

/** What a promise must give, and what stands for anything else. */
const answers: Readonly<
  Record<string, { readonly right: (value: unknown) => boolean; readonly instead: unknown }>
> = {
  "address acquire": { right: isOutcome, instead: "unknown" },
  "address release": { right: isOutcome, instead: "unknown" },
  "address withdraw": { right: isOutcome, instead: "unknown" },
  "address holds": { right: oneOf("held", "absent", "unknown"), instead: "unknown" },
  "service health": { right: oneOf("healthy", "failing", "stopped"), instead: "failing" },
};

const longestFrame = 512;

/** The plugin with its calls guarded; anything else it has is not reached by the core, and is left out. */
export function guarded<K extends PluginKind>(
  made: PluginKinds[K],
  kind: K,
  { who, log }: GuardOptions,
): PluginKinds[K] {
  if (kind === "store") return made;
  const misuses = new Set<Code>();
  const misuse = (code: Code, what: string, cause?: unknown): void => {
    if (misuses.has(code)) return;
    misuses.add(code);
    log?.error(
      { code, error: pluginError(code, `${who}: ${what}`, { cause }) },
      "a plugin breaks its contract",
    );
  };
  const own = (name: string): Call => {
    const method: unknown = Reflect.get(made, name);
    return (...given) => (method as Call).apply(made, [...given]);
  };
  const calls = Object.keys(methods[kind]).filter((name) => Reflect.get(made, name) !== undefined);
  const entries = calls.map((name): [string, Call] => {
    if (name === "describe") return [name, () => described(own(name), misuses, misuse)];
    if (synchronous[kind].includes(name)) return [name, quiet(name, own(name), misuse)];
    const answer = answers[`${kind} ${name}`];
    return [name, answer === undefined ? later(own(name)) : judged(name, own(name), answer, misuse)];
  });
  const plugin = Object.fromEntries(entries) as Record<string, Call>;
  if (kind === "transport") guardFrames(plugin, misuse);
  return plugin as unknown as PluginKinds[K];
}

type Misuse = (code: Code, what: string, cause?: unknown) => void;

/** A plain function in the place of an async one is no harm: what it throws is a rejection. */
function later(call: Call): Call {
  return async (...given) => call(...given);
}

function judged(name: string, call: Call, answer: (typeof answers)[string], misuse: Misuse): Call {
  return async (...given) => {
    const value = await call(...given);
    if (answer.right(value)) return value;
    misuse("PLUGIN_ANSWER_WRONG", `${name}() answered ${shown(value)}`);
    return answer.instead;
  };
}

/** What it throws is named by whoever calls it (PLUGIN_MISBEHAVES); a promise of it would be nobody's. */
function quiet(name: string, call: Call, misuse: Misuse): Call {
  return (...given) => {
    const value = call(...given);
    if (!isPromise(value)) return value;
    // Nobody else hears of its failure, which would end the process.
    value.then(undefined, (error: unknown) =>
      misuse("PLUGIN_SYNC_PROMISE", `the promise that ${name}() gave failed: ${shown(error)}`, error),
    );
    misuse("PLUGIN_SYNC_PROMISE", `${name}() gave a promise`);
    return undefined;
  };
}

function described(call: Call, misuses: ReadonlySet<Code>, misuse: Misuse): string {
  let said: unknown;
  try {
    said = call();
    if (typeof said !== "string" || said === "" || /[\r\n]/.test(said))
      misuse("PLUGIN_DESCRIBE_WRONG", `describe() gave ${shown(said)}`);
  } catch (error) {
    misuse("PLUGIN_DESCRIBE_WRONG", `describe() threw ${shown(error)}`, error);
    said = `(no description: ${shown(error)})`;
  }
  const line = typeof said === "string" ? said.replaceAll(/[\r\n]+/g, " ") : "(no description)";
  return misuses.size === 0 ? line : `${line} (breaks its contract: ${[...misuses].join(", ")})`;
}

/** Frames count from start() on until stop() has settled, and only as frames. */
function guardFrames(plugin: Record<string, Call>, misuse: Misuse): void {
  const { start, stop } = plugin;
  let stopped = false;
  plugin.start = (receive) =>
    start?.((frame: unknown) => {
      if (stopped) return misuse("PLUGIN_CALLBACK_LATE", "a frame came after stop() had settled");
      if (!(frame instanceof Uint8Array) || frame.length === 0 || frame.length > longestFrame)
        return misuse("PLUGIN_FRAME_WRONG", `it delivered ${shown(frame)}`);
      (receive as Call)(frame);
    });
  plugin.stop = async () => {
    try {
      await stop?.();
    } finally {
      stopped = true;
    }
  };
}

function isOutcome(value: unknown): boolean {
  return oneOf("confirmed", "refused", "unknown")(value);
}

function oneOf(...words: readonly unknown[]): (value: unknown) => boolean {
  return (value) => words.includes(value);
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "then") === "function";
}

function shown(value: unknown): string {
  if (value instanceof Error) return value.message;
  if (value instanceof Uint8Array) return `a frame of ${value.length} bytes`;
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value);
}
