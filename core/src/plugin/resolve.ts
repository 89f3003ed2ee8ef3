/**
 * Finds the file of a plugin that the config names: by short name, package name or path. Only what is named is looked
 * for; nothing is scanned and nothing found by chance.
 */

import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { nearestWord } from "../config/words.js";
import type { PluginKind } from "./contract.js";
import { packageAround, readDescription } from "./description.js";

export const systemPluginFolder = "/etc/understudy/plugins";

export interface PluginFile {
  readonly found: true;
  /** Absolute path of the module. */
  readonly file: string;
  readonly packageName: string;
  readonly version: string;
  /** What its package.json says under `understudy.api`; undefined when it says nothing. */
  readonly api: unknown;
}

export interface NoPluginFile {
  readonly found: false;
  /** What was looked for, where, and what may have been meant. */
  readonly why: string;
}

/** `configFolder`: the folder of the config file; paths are relative to it, and packages are looked for beside it. */
export function resolvePlugin(
  named: string,
  kind: PluginKind,
  configFolder: string,
): PluginFile | NoPluginFile {
  if (/^(\.{1,2})?\//.test(named)) return resolvePath(resolve(configFolder, named));
  const packageName = packageNameOf(named, kind);
  const bases = [import.meta.filename, join(configFolder, "x"), join(systemPluginFolder, "x")];
  for (const base of bases) {
    const file = resolvePackage(packageName, base);
    if (file !== undefined) return withPackage(file);
  }
  const installed = named === packageName ? [] : installedNames(kind);
  const near = nearestWord(named, installed);
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  const hint = installed.includes(named) ? "; its folder is there, but not the file it exports" : meant;
  const places = [dirname(dirname(import.meta.dirname)), configFolder, systemPluginFolder].join(", ");
  return { found: false, why: `there is no package ${packageName}, seen from ${places}${hint}` };
}

/** A bare word is a short name; one with a scope or that begins with "understudy-" is a package. */
function packageNameOf(named: string, kind: PluginKind): string {
  if (named.startsWith("@") || named.includes("/") || named.startsWith("understudy-")) return named;
  return `@understudy/${kind}-${named}`;
}

function resolvePath(path: string): PluginFile | NoPluginFile {
  if (!existsSync(path)) return { found: false, why: `there is no file ${path}` };
  if (statSync(path).isFile()) return withPackage(path);
  const description = readDescription(join(path, "package.json"));
  const file =
    description?.name === undefined
      ? undefined
      : resolvePackage(description.name, join(path, "package.json"));
  if (file !== undefined) return withPackage(file);
  try {
    return withPackage(createRequire(import.meta.filename).resolve(path));
  } catch {
    return { found: false, why: `the folder ${path} holds no package with a main file` };
  }
}

/** The folder of an installed package, by its name or "KIND-NAME", seen from a folder; for tools. */
export function resolvePackageFolder(named: string, from: string): string | undefined {
  const names = named.startsWith("@") ? [named] : [named, `@understudy/${named}`];
  const bases = [join(from, "x"), join(systemPluginFolder, "x"), import.meta.filename];
  return bases
    .flatMap((base) => names.flatMap((name) => foldersOf(name, createRequire(base))))
    .find((folder) => existsSync(join(folder, "package.json")));
}

function foldersOf(name: string, require: NodeJS.Require): readonly string[] {
  return (require.resolve.paths(name) ?? []).map((folder) => join(folder, name));
}

function resolvePackage(name: string, base: string): string | undefined {
  const require = createRequire(pathToFileURL(base));
  try {
    return require.resolve(name);
  } catch (error) {
    // A package for `import` alone is not to be found by require: its description is read instead.
    if ((error as NodeJS.ErrnoException).code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") return undefined;
    return importOnly(name, require);
  }
}

function importOnly(name: string, require: NodeJS.Require): string | undefined {
  for (const folder of require.resolve.paths(name) ?? []) {
    const description = readDescription(join(folder, name, "package.json"));
    const main = importedFile(description?.exports);
    if (main !== undefined) return join(folder, name, main);
  }
  return undefined;
}

function importedFile(exported: unknown): string | undefined {
  if (typeof exported === "string") return exported;
  if (typeof exported !== "object" || exported === null) return undefined;
  const { ".": main, import: imported, default: fallback } = exported as Readonly<Record<string, unknown>>;
  return importedFile(main) ?? importedFile(imported) ?? importedFile(fallback);
}

/** The package a file belongs to: the nearest description above it that has a name. */
function withPackage(file: string): PluginFile {
  const around = packageAround(dirname(file));
  const { name = file, version = "unknown", understudy } = around?.description ?? {};
  return { found: true, file, packageName: name, version, api: understudy?.api };
}

/** Short names of the plugins of a kind that came with this installation, for hints only. */
export function installedNames(kind: PluginKind): readonly string[] {
  const prefix = `${kind}-`;
  const folders = createRequire(import.meta.url).resolve.paths("@understudy/core") ?? [];
  return folders.flatMap((folder) => {
    try {
      return readdirSync(join(folder, "@understudy"))
        .filter((name) => name.startsWith(prefix))
        .map((name) => name.slice(prefix.length));
    } catch {
      return [];
    }
  });
}
