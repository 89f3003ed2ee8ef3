/**
 * Tells SQLite's failures apart by what the node must do about them (rule R22), and declares the mistakes of an
 * installation that only a person can mend.
 */

import { errorsOf, StoreFailure, type StoreFailureKind, UnderstudyError } from "@understudy/core/public";

export const storeErrors = {
  STORE_IN_USE: {
    meaning: "Another process has the session database open, and two would destroy it.",
    todo: "Stop the other one: a second node on this machine, or a program that looks into the file.",
  },
  STORE_IS_DIRECTORY: {
    meaning: "The session database must be a file, so this node cannot start.",
    todo: "Move the folder away, or name a file in `sessions: { plugin: sqlite, path: … }`.",
  },
  STORE_NO_FOLDER: {
    meaning: "The session database cannot be made, so this node cannot start.",
    todo: "Make the folder, or name a file in an existing one in `sessions: { plugin: sqlite, path: … }`.",
  },
  STORE_NO_ACCESS: {
    meaning: "This node may not read and write its session database, so it cannot start.",
    todo: "Give the file and its folder to the user that runs understudy.",
  },
  STORE_NEWER: {
    meaning:
      "A newer version of Understudy wrote this database, and this one would not understand all of it.",
    todo: "Install that version or a later one again; the database was left as it is.",
  },
  STORE_FOREIGN: {
    meaning: "The file is a database, but not one of sessions; it was left as it is.",
    todo: "Name another file in `sessions: { plugin: sqlite, path: … }`.",
  },
} as const;

export const storeError = errorsOf(storeErrors);

/** Primary result codes, https://sqlite.org/rescode.html */
const resultCodes = { busy: 5, full: 13, corrupt: 11, notADatabase: 26 } as const;

function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  return resultCode(error) === resultCodes.busy;
}

/** An error of SQLite or of the file system as the failure that the contract names; anything else stays what it is. */
export function storeFailureOf(error: unknown, doing: string): unknown {
  if (error instanceof StoreFailure || error instanceof UnderstudyError || !(error instanceof Error)) {
    return error;
  }
  const kind = kindOf(error);
  return kind === undefined ? error : new StoreFailure(kind, `${doing}: ${error.message}`, error);
}

function kindOf(error: Error): StoreFailureKind | undefined {
  const code = resultCode(error);
  if (code === resultCodes.full) return "full";
  if (code === resultCodes.corrupt || code === resultCodes.notADatabase) return "corrupt";
  if (code !== undefined) return "broken";
  // A number beyond 2^53, which no store ever wrote.
  if ((error as NodeJS.ErrnoException).code === "ERR_OUT_OF_RANGE") return "corrupt";
  const system = (error as NodeJS.ErrnoException).code;
  if (system === "ENOSPC" || system === "EDQUOT") return "full";
  return (error as NodeJS.ErrnoException).syscall === undefined ? undefined : "broken";
}

/** A mistake at a path that a person has to mend, else undefined. */
export function mistakeAt(path: string, error: unknown): UnderstudyError | undefined {
  const code = (error as NodeJS.ErrnoException).code;
  const extras = { cause: error };
  if (code === "EISDIR") return storeError("STORE_IS_DIRECTORY", `${path} is a folder`, extras);
  if (code === "ENOENT" || code === "ENOTDIR") {
    return storeError("STORE_NO_FOLDER", `there is no folder for ${path}`, extras);
  }
  if (code === "EACCES" || code === "EPERM") {
    return storeError("STORE_NO_ACCESS", `${path} may not be read and written`, extras);
  }
  return undefined;
}
