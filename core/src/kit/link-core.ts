/**
 * Makes `.understudy/core` in a plugin's folder point at the core of this Understudy, where the compiler and the editor
 * look for the contract's types. Outside node_modules, because npm removes what it did not install.
 */

import { lstatSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const core = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");

/** Returns where it points. Rejects when the folder cannot be written. */
export function linkCore(folder: string): string {
  const link = join(folder, ".understudy/core");
  if (linkTarget(link) === core) return core;
  mkdirSync(join(folder, ".understudy"), { recursive: true });
  // Only ever a link of ours: a folder there is somebody's work, and then the link fails.
  if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(link);
  symlinkSync(core, link);
  return core;
}

function linkTarget(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch {
    return undefined;
  }
}
