/** What can be wrong when the files of another program are imported. */

import { errorsOf } from "./error.js";

export const importErrors = {
  IMPORT_UNREADABLE: {
    meaning: "Without this file there is nothing to import; nothing was written.",
    todo: "Name the folder or file where the other program has its configuration.",
  },
  IMPORT_INCOMPLETE: {
    meaning:
      "The files leave open what a pair must know, so no config was written; the report says what became of each line.",
    todo: "Repeat the command with everything that is listed.",
  },
  IMPORT_UNSOUND: {
    meaning:
      "The import made a config that our own check refuses, so it was not written. This is a mistake in the import.",
    todo: "Write the config with `understudy init`, take the report as a guide, and tell the authors.",
  },
} as const;

export const importError = errorsOf(importErrors);
