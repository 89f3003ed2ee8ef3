/**
 * The project's own TypeScript files and what each imports. Read once from disk, so that every rule about them is a
 * plain filter.
 */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface SourceFile {
  /** Relative to the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

export interface Import {
  readonly from: string;
  /** Erased by the compiler: no code of the other file runs. */
  readonly typeOnly: boolean;
}

const importPattern = /^\s*(?:import|export)\s+(type\s+)?(?:[^;"']*?\sfrom\s+)?["']([^"']+)["']/gm;
const lateImportPattern = /\bimport\(\s*["']([^"']+)["']\s*\)/g;

export function sourceFiles(): readonly SourceFile[] {
  const globs = [
    "core/{src,test,bin,packaging}/**/*.{ts,js}",
    "plugins/*/{src,test}/**/*.ts",
    "appliance/src/**/*.ts",
  ];
  const paths = [...globs, "test/**/*.ts"].flatMap((glob) =>
    globSync(glob, { cwd: root, exclude: (name) => name.includes("node_modules") || name.includes("dist") }),
  );
  return [...new Set(paths)].sort().map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const early = [...text.matchAll(importPattern)].map((match) => ({
      from: match[2] ?? "",
      typeOnly: match[1] !== undefined,
    }));
    const late = [...text.matchAll(lateImportPattern)].map((match) => ({
      from: match[1] ?? "",
      typeOnly: false,
    }));
    return { path, text, imports: [...early, ...late] };
  });
}
