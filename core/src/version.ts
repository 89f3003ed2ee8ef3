/** The version of this installation: one for all packages, from the core's own package.json. */

import { readFileSync } from "node:fs";

/** From `dist/src` as from a tarball the file is two folders up. */
const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");

export const version: string = (JSON.parse(text) as { readonly version: string }).version;
