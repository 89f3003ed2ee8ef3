/**
 * Reads a configuration of another program: a text of any age, and so of any encoding; but no folder, no program and no
 * disk image that was named by mistake.
 */

import { readFileSync, type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { importError } from "../errors/import.js";

const mostBytes = 8 * 1024 * 1024;

/** Throws IMPORT_UNREADABLE. */
export function readForeign(file: string): string {
  const odd = oddity(statSync(file, { throwIfNoEntry: false }), resolve(file));
  if (odd !== undefined) throw importError("IMPORT_UNREADABLE", odd);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw importError("IMPORT_UNREADABLE", `cannot read ${resolve(file)}: ${(cause as Error).message}`, {
      cause,
    });
  }
  if (bytes.includes(0)) throw importError("IMPORT_UNREADABLE", `${resolve(file)} is no text`);
  return textOf(bytes);
}

function oddity(found: Stats | undefined, path: string): string | undefined {
  if (found === undefined) return `there is no file ${path}`;
  if (found.isDirectory()) return `${path} is a folder: name the file in it`;
  if (found.size > mostBytes)
    return `${path} has ${Math.round(found.size / 1024 / 1024)} MiB: that is no configuration`;
  return undefined;
}

/** What is not UTF-8 is most likely an old comment in Latin-1, in which every byte is a letter. */
function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString("latin1");
  }
}
