/**
 * Finds the config file and reads its text. Nothing that is found is ever run: only YAML and JSON files are taken, as
 * text, and the working directory has no say.
 */

import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { cosmiconfig, type Loader, type PublicExplorer } from "cosmiconfig";
import { configError } from "../errors/config.js";

export const defaultConfigFolder = "/etc/understudy";
export const defaultConfigFile = `${defaultConfigFolder}/understudy.yaml`;

const names = ["understudy.yaml", "understudy.yml", "understudy.json"];

/** What was asked for, else UNDERSTUDY_CONFIG, else the default place. Absolute. */
export function configFileName(asked: string | undefined): string {
  return resolve(asked || process.env.UNDERSTUDY_CONFIG || defaultConfigFile);
}

export interface FoundFile {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

/** `place` is a file, or a folder that holds one called understudy.yaml, .yml or .json. */
export async function readConfigFile(place: string): Promise<FoundFile> {
  const wanted = resolve(place);
  const explorer = quietExplorer();
  try {
    const folder = isFolder(wanted) ? wanted : undefined;
    const result = folder === undefined ? await explorer.load(wanted) : await explorer.search(folder);
    if (result === null) throw configError("CONFIG_MISSING", `there is no ${names.join(", ")} in ${wanted}`);
    return { file: result.filepath, text: typeof result.config === "string" ? result.config : "" };
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "CONFIG_MISSING") throw cause;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw configError("CONFIG_MISSING", `there is no config file ${wanted}`, { cause });
    }
    throw configError("CONFIG_UNREADABLE", `cannot read the config file ${wanted}: ${message}`, { cause });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

const asText: Loader = (_, text) => text;

const refuse: Loader = (file) => {
  throw new Error(`a config file is YAML or JSON, never a program: ${file}`);
};

/**
 * cosmiconfig looks for settings of its own in the working directory when it is made, and would run a
 * `.config/config.js` it finds there. So it is made in the folder of this very file, where nobody else writes.
 */
function quietExplorer(): PublicExplorer {
  const workingFolder = currentFolder();
  process.chdir(dirname(import.meta.filename));
  try {
    return cosmiconfig("understudy", {
      searchPlaces: names,
      searchStrategy: "none",
      ignoreEmptySearchPlaces: false,
      cache: false,
      // A file called package.yaml would otherwise be searched for a key of ours.
      packageProp: [],
      loaders: {
        ".yaml": asText,
        ".yml": asText,
        ".json": asText,
        noExt: asText,
        ".js": refuse,
        ".cjs": refuse,
        ".mjs": refuse,
        ".ts": refuse,
        ".cts": refuse,
        ".mts": refuse,
      },
    });
  } finally {
    if (workingFolder !== undefined) process.chdir(workingFolder);
  }
}

/** Undefined when it was removed meanwhile: then there is nowhere to go back to. */
function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
