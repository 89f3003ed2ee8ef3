/** The pages that are made from the code, and where they stand. */

import { configPage } from "./config-page.js";
import { errorsPage } from "./errors-page.js";

export const pages: readonly { readonly path: string; make(): Promise<string> }[] = [
  { path: "core/ERRORS.md", make: errorsPage },
  { path: "core/CONFIG.md", make: configPage },
];
