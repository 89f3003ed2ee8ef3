/**
 * The process in which `understudy plugin test` runs a suite: `node run-suite.js <conformance module> [kind]`. Ends with
 * 0 when all tests passed, 1 when one failed, and 2 when there was nothing that could be tested.
 */

import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { suitesRun } from "../conformance/suites-run.js";
import { explain } from "../errors/error.js";
import { pluginError } from "../errors/plugins.js";
import { packageAround } from "../plugin/description.js";
import { isKind } from "../plugin/kinds.js";
import { lendCore } from "../plugin/own-core.js";
import { definitionConformance } from "./definition.js";
import { endWithLeftovers } from "./leftovers.js";

const [, , file = "", asked] = process.argv;

lendCore();
try {
  await run();
  endWithLeftovers();
} catch (error) {
  process.stderr.write(`understudy: ${explain(error)}\n`);
  process.exit(2);
}

async function run(): Promise<void> {
  const module = await load();
  const plugin = module.plugin ?? module.default;
  const ofPlugin =
    typeof plugin === "object" && plugin !== null && "kind" in plugin ? plugin.kind : undefined;
  const kind = asked ?? ofPlugin;
  if (module.conformance === undefined) {
    // A module may also call the suites itself, as a test file does.
    if (suitesRun().length > 0 && (asked === undefined || suitesRun().some((one) => one === asked))) return;
    throw pluginError(
      "PLUGIN_NO_SUITE",
      `${file} exports no \`conformance\` and runs no suite${ofKind(asked)}`,
    );
  }
  if (!isKind(kind)) {
    const what = `${file} exports \`conformance\`, but no \`plugin\` that would say of which kind`;
    throw pluginError("PLUGIN_NO_SUITE", what);
  }
  if (ofPlugin !== undefined && ofPlugin !== kind) {
    const what = `${file} exports a plugin of kind ${String(ofPlugin)}, and --kind says ${kind}`;
    throw pluginError("PLUGIN_WRONG_KIND", what);
  }
  if (plugin !== undefined) definitionConformance(plugin, packageAround(dirname(file))?.description);
  const suite = await suiteOf(kind);
  const given = typeof module.conformance === "function" ? await module.conformance() : module.conformance;
  const all = Array.isArray(given) ? given : [given];
  if (all.length === 0) throw pluginError("PLUGIN_NO_SUITE", `the list \`conformance\` of ${file} is empty`);
  for (const one of all) suite(one);
}

function ofKind(kind: string | undefined): string {
  return kind === undefined ? "" : ` of kind ${kind}`;
}

type Module = { readonly plugin?: unknown; readonly default?: unknown; readonly conformance?: unknown };

async function load(): Promise<Module> {
  try {
    return (await import(pathToFileURL(file).href)) as Module;
  } catch (cause) {
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    throw pluginError("PLUGIN_BROKEN_IMPORT", `${file} cannot be loaded: ${why}`, { cause });
  }
}

/** Every kind has a module of its name, and in it a function of its name. */
async function suiteOf(kind: string): Promise<(suite: unknown) => void> {
  const module = (await import(new URL(`../conformance/${kind}.js`, import.meta.url).href)) as Readonly<
    Record<string, unknown>
  >;
  const suite = module[`${kind}Conformance`];
  if (typeof suite !== "function") throw new Error(`the core has no suite for ${kind}`);
  return (given) => void suite(given);
}
