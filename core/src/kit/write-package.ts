/**
 * Writes a new plugin package from the templates of the core: a small plugin of its kind that works, its conformance,
 * its README and an example. Writes into a new folder alone, never over what is there.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cliError } from "../errors/cli.js";
import { PLUGIN_API_VERSION } from "../plugin/define-plugin.js";
import { version } from "../version.js";
import { linkCore } from "./link-core.js";
import type { NewNames } from "./package-name.js";

const templates = fileURLToPath(new URL("../../../templates/", import.meta.url));

/** Returns the paths written, relative to `folder`. Throws CLI_EXISTS or CLI_NOT_WRITTEN, having left nothing behind. */
export function writePackage(names: NewNames, folder: string): readonly string[] {
  const files = textsOf(names);
  makeFolder(folder);
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text, { flag: "wx" });
    }
    linkCore(folder);
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true });
    throw cliError("CLI_NOT_WRITTEN", `cannot write ${folder}: ${(cause as Error).message}`, { cause });
  }
  return files.map(([path]) => path);
}

/** Made by us, or else somebody's: so whatever is in it later may be removed again. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(dirname(folder), { recursive: true });
    mkdirSync(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw cliError("CLI_EXISTS", `there is a ${folder} already`, { cause });
    }
    throw cliError("CLI_NOT_WRITTEN", `cannot make ${folder}: ${(cause as Error).message}`, { cause });
  }
}

/** Of the templates for all kinds and for this one: path in the package and text, names filled in. */
function textsOf(names: NewNames): readonly (readonly [path: string, text: string])[] {
  return ["all", names.kind].flatMap((part) =>
    readdirSync(join(templates, part), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((from) => {
        const path = from.slice(join(templates, part).length + 1).replace(/\.template$/, "");
        return [path, fillIn(readFileSync(from, "utf8"), names)] as const;
      }),
  );
}

function fillIn(text: string, { kind, name, packageName }: NewNames): string {
  const words: Readonly<Record<string, string>> = {
    KIND: kind,
    NAME: name,
    PACKAGE: packageName,
    API: String(PLUGIN_API_VERSION),
    VERSION: version,
    ABOUT: readFileSync(join(templates, "about", `${kind}.md`), "utf8").trim(),
  };
  return text.replaceAll(/@@([A-Z]+)@@/g, (found, word: string) => {
    const value = words[word];
    if (value === undefined) throw new Error(`a template asks for ${found}`);
    return value.replaceAll(/@@([A-Z]+)@@/g, (_, inner: string) => words[inner] ?? "");
  });
}
