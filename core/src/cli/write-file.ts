/** Writes a file that an operator will rely on: as a whole, durably, and never over another one by chance. */

import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { cliError } from "../errors/cli.js";

/** Throws CLI_EXISTS, unless `replace`, or CLI_NOT_WRITTEN. */
export function writeNewFile(path: string, text: string, mode: number, replace: boolean): void {
  const temporary = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(temporary, { force: true });
    const file = openSync(temporary, "wx", mode);
    try {
      fchmodSync(file, mode);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (replace) renameSync(temporary, path);
    // A link fails where a rename would replace what somebody else has written meanwhile.
    else linkSync(temporary, path);
    rmSync(temporary, { force: true });
  } catch (cause) {
    rmSync(temporary, { force: true });
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") {
      throw cliError("CLI_EXISTS", `there is a file ${path} already`, { cause });
    }
    throw cliError("CLI_NOT_WRITTEN", `cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}
