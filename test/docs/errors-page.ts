/**
 * Makes core/ERRORS.md out of the catalogues of alarms and error codes, those of the plugins here included, so that
 * every code has its meaning and its way out on one page.
 */

import { globSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ErrorCatalogue } from "@understudy/core/public";
import { root } from "../tidy/source-files.js";

interface Area {
  readonly title: string;
  readonly catalogue: ErrorCatalogue;
}

/** Every exported object whose name ends with "Errors" is a catalogue. */
async function areas(): Promise<readonly Area[]> {
  const compiled = globSync("{core/dist/src/errors/*.js,plugins/*/dist/src/{errors,failures}.js}", {
    cwd: root,
  });
  const found: Area[] = [];
  for (const path of compiled.sort()) {
    const module = (await import(pathToFileURL(join(root, path)).href)) as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(module)) {
      if (!name.endsWith("Errors") || typeof value !== "object" || value === null) continue;
      const owner = path.startsWith("plugins/") ? `${path.split("/")[1]}` : name.replace(/Errors$/, "");
      found.push({ title: owner, catalogue: value as ErrorCatalogue });
    }
  }
  return found;
}

export async function errorsPage(): Promise<string> {
  const sections = (await areas()).map(({ title, catalogue }) => {
    const entries = Object.entries(catalogue).map(
      ([code, { meaning, todo }]) => `### ${code}\n\n${meaning}\n\n**What to do:** ${todo}\n`,
    );
    const name = title[0]?.toUpperCase() + title.slice(1);
    return `## ${title === "alarm" ? alarms : name}\n\n${entries.join("\n")}`;
  });
  return `# Error codes and alarms

Every error says what happened, what it means and what to do, and ends with one of these codes. A code never changes its
meaning. This page is made from the code by \`npm run docs\`; do not edit it.

${sections.join("\n")}`;
}

const alarms = `Alarms

What \`understudy status\`, its \`--check\`, hooks and metrics call by these names. An alarm about a moment stays for ten
seconds; the timeline keeps all.`;
