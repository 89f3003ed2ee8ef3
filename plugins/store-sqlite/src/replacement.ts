/** Another database that is to take the place of the present one: read and verified, and brought into its folder. */

import { copyFileSync, renameSync, rmSync, statSync } from "node:fs";
import { StoreFailure, UnderstudyError } from "@understudy/core/public";
import { type Contents, readContents } from "./contents.js";
import { checkKind, connect } from "./schema.js";

/** Reads all of it. Any reason why it cannot be used is a StoreFailure. */
export function readReplacement(file: string): Contents {
  if (fileBytes(file) === 0) throw new StoreFailure("corrupt", "there is no database in it");
  const database = connect(file);
  try {
    checkKind(database, file);
    return readContents(database, "quick");
  } catch (error) {
    // A person's mistake at a start; here it came from the other node.
    if (error instanceof UnderstudyError) throw new StoreFailure("broken", error.message, error);
    throw error;
  } finally {
    database.close();
  }
}

/** Moves a file, from another file system too. */
export function bringBeside(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    copyFileSync(from, to);
    rmSync(from, { force: true });
  }
}

export function fileBytes(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
