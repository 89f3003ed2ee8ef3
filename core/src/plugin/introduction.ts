/**
 * Lets a plugin that did not come with Understudy introduce itself in a process of its own: whatever its code does while
 * it is loaded, waits for ever, prints, ends the process, whoever asks gets an answer in time.
 */

import { fork } from "node:child_process";
import type { PluginEntry } from "../config/config.js";
import { type EditorSchema, editorSchemaOf } from "../config/editor-schema.js";
import { type OptionText, optionsOf } from "../config/options.js";
import { UnderstudyError } from "../errors/error.js";
import { pluginError, type pluginErrors } from "../errors/plugins.js";
import type { HostProcess, PluginKind } from "./contract.js";
import { findPlugin, importDeadlineMs, reporter } from "./load-plugin.js";
import { singly } from "./several.js";

export interface Introduction {
  readonly kind: PluginKind;
  readonly name: string;
  readonly packageName: string;
  readonly version: string;
  readonly runsIn: HostProcess;
  readonly options: readonly OptionText[];
  /** Undefined when JSON schema cannot express them. */
  readonly schema: EditorSchema | undefined;
}

export interface Asked {
  readonly entry: Pick<PluginEntry, "plugin" | "at">;
  /** Of which kinds it may be. */
  readonly kinds: readonly PluginKind[];
  /** Absolute. */
  readonly configFile: string;
}

/** What an UnderstudyError is across processes. */
export interface Fault {
  readonly code: keyof typeof pluginErrors;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** From the process of the plugin. */
export type FromIntroducer =
  | { readonly type: "begins" }
  | { readonly type: "introduced"; readonly introduction: Introduction }
  | { readonly type: "faulty"; readonly faults: readonly Fault[] };

/** In this process: for a plugin that came with Understudy, and for the process that a stranger has to itself. */
export async function introduceHere({ entry, kinds, configFile }: Asked): Promise<Introduction> {
  let last: unknown;
  for (const kind of kinds) {
    try {
      const { plugin, packageName, version } = await findPlugin({ ...entry, options: {} }, kind, configFile);
      const { name, runsIn, config } = plugin;
      const schema = editorSchemaOf(config);
      return { kind, name, packageName, version, runsIn, options: optionsOf(config), schema };
    } catch (error) {
      const other = error instanceof UnderstudyError && /^PLUGIN_(NOT_FOUND|WRONG_KIND)$/.test(error.code);
      if (!other) throw error;
      last = error;
    }
  }
  throw last;
}

/** Twice what a module has that only waits, of which its own process tells: on a busy machine most of it is queueing. */
const silenceDeadlineMs = 2 * importDeadlineMs;
/** Until the deadline of the plugin begins our own code alone is running. */
const beginDeadlineMs = 60_000;

/** Gives what is wrong with a plugin instead of throwing it. */
export function introduce(
  asked: Asked,
  deadlineMs = silenceDeadlineMs,
): Promise<Introduction | readonly UnderstudyError[]> {
  const child = fork(new URL("./introducer.js", import.meta.url), [JSON.stringify(asked)], {
    // What it prints is not what was asked for.
    stdio: ["ignore", 2, 2, "ipc"],
    execArgv: ["--enable-source-maps"],
  });
  return new Promise((settle) => {
    let timer = setTimeout(late, beginDeadlineMs);
    const failed = (code: Fault["code"], what: string) => done([faultOf(asked, code, what)]);
    function done(answer: Introduction | readonly UnderstudyError[]): void {
      clearTimeout(timer);
      // What its code goes on with is of no use to anybody.
      child.kill("SIGKILL");
      settle(answer);
    }
    function late(): void {
      failed("PLUGIN_IMPORT_DEADLINE", `it did not finish loading within ${deadlineMs / 1000} s`);
    }
    child.on("message", (message: FromIntroducer) => {
      if (message.type === "introduced") done(message.introduction);
      else if (message.type === "faulty") done(message.faults.map(fromFault));
      else {
        clearTimeout(timer);
        timer = setTimeout(late, deadlineMs);
      }
    });
    child.once("error", ({ message }) => failed("PLUGIN_BROKEN_IMPORT", `no process for it: ${message}`));
    child.once("exit", (code, signal) => {
      const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
      failed("PLUGIN_BROKEN_IMPORT", `it ended the process that loaded it, ${how}`);
    });
  });
}

const atOnce = 2;

/** As `introduce`, a few at a time; answers in the order of what was asked. */
export async function introduceAll(
  all: readonly Asked[],
): Promise<readonly (Introduction | readonly UnderstudyError[])[]> {
  const answers: (Introduction | readonly UnderstudyError[])[] = [];
  const queue = all.entries();
  const lane = async () => {
    for (const [at, asked] of queue) answers[at] = await introduce(asked);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return answers;
}

export function isFaulty(
  answer: Introduction | readonly UnderstudyError[],
): answer is readonly UnderstudyError[] {
  return Array.isArray(answer);
}

function faultOf({ entry, configFile }: Asked, code: Fault["code"], what: string): UnderstudyError {
  return reporter(entry, configFile)(code, `${entry.plugin}: ${what}`);
}

export function toFaults(error: UnderstudyError): readonly Fault[] {
  return singly(error).map(({ code, message, details }) => ({
    code: code as Fault["code"],
    message,
    details,
  }));
}

function fromFault({ code, message, details }: Fault): UnderstudyError {
  return pluginError(code, message, { details });
}
