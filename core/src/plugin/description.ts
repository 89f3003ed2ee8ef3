/**
 * What a package says of itself in its package.json: name, version, what it exports, and under `understudy` what kind
 * of plugin it is, for which version of the contract, and where its conformance is.
 */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";

const text = z.string().optional().catch(undefined);

const understudyField = z.object({
  /** The version of the contract it was written for: believed before its code is run. */
  api: z.unknown().optional(),
  kind: text,
  /** Module that exports `conformance`; of several the first that is there. */
  conformance: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .catch(undefined),
});

const descriptionSchema = z.object({
  name: text,
  version: text,
  exports: z.unknown().optional(),
  main: text,
  understudy: understudyField.optional().catch(undefined),
});

export type PackageDescription = z.infer<typeof descriptionSchema>;

/** Undefined where there is no file, or none that can be read as JSON. */
export function readDescription(file: string): PackageDescription | undefined {
  try {
    const parsed = descriptionSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** The package a file or folder belongs to: the nearest description at or above it that has a name. */
export function packageAround(
  place: string,
): { readonly folder: string; readonly description: PackageDescription } | undefined {
  for (let folder = place; ; folder = dirname(folder)) {
    const description = readDescription(join(folder, "package.json"));
    if (description?.name !== undefined) return { folder, description };
    if (folder === dirname(folder)) return undefined;
  }
}

/** Absolute path of the module with its conformance; undefined when it names none that is there. */
export function conformanceFile(folder: string, description: PackageDescription): string | undefined {
  const named = [description.understudy?.conformance ?? []].flat();
  return named.map((path) => join(folder, path)).find((path) => existsSync(path));
}
