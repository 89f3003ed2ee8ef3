/**
 * Finds the config file and reads its text. Nothing that is found is ever run: only YAML and JSON files are taken, as
 * text, and the working directory has no say.
 */

import { type Stats, statSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { cosmiconfig, type Loader, type PublicExplorer } from "cosmiconfig";
import { configError } from "../errors/config.js";
import { UnderstudyError } from "../errors/error.js";
import { notText } from "./not-text.js";

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
    const found = statSync(wanted, { throwIfNoEntry: false });
    const odd = found === undefined ? undefined : oddity(found, wanted);
    if (odd !== undefined) throw configError("CONFIG_UNREADABLE", `${wanted} ${odd}`);
    const result = await (found?.isDirectory() ? explorer.search(wanted) : explorer.load(wanted));
    if (result === null)
      throw configError("CONFIG_MISSING", `the folder ${wanted} holds no ${names.join(" and no ")}`);
    const text = typeof result.config === "string" ? result.config : "";
    const unlike = notText(text);
    if (unlike !== undefined) throw configError("CONFIG_UNREADABLE", `${result.filepath}${unlike}`);
    return { file: result.filepath, text };
  } catch (cause) {
    if (cause instanceof UnderstudyError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") {
      throw configError("CONFIG_MISSING", `there is no config file ${wanted}`, { cause });
    }
    throw configError("CONFIG_UNREADABLE", `cannot read the config file ${wanted}: ${message}`, { cause });
  }
}

/** Far above what is taken, so that what a person wrote is judged with its places, and a disk image is not read. */
const mostBytes = 64 * 1024 * 1024;
const extensions = ["", ".yaml", ".yml", ".json"];

/** What keeps it from being opened at all; undefined for a file or folder that may be a config. */
function oddity(found: Stats, path: string): string | undefined {
  if (found.isDirectory()) return undefined;
  // A pipe may well bring one.
  if (!found.isFile() && !found.isFIFO()) return "is a device or socket, and a config is a file";
  if (found.size > mostBytes)
    return `has ${Math.round(found.size / 1024 / 1024)} MiB, and a config has 1 MiB at most`;
  const ending = extname(path);
  if (extensions.includes(ending) || programs.includes(ending)) return undefined;
  return `ends in ${ending}: a config file is YAML or JSON, and ends in .yaml, .yml or .json`;
}

const asText: Loader = (_, text) => text;
const programs = [".js", ".cjs", ".mjs", ".ts", ".cts", ".mts"];

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
        ...Object.fromEntries(programs.map((ending) => [ending, refuse])),
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
