/** `npm run docs`: writes the pages that are made from the code. A test fails while they are stale. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../tidy/source-files.js";
import { pages } from "./pages.js";

for (const { path, make } of pages) {
  writeFileSync(join(root, path), await make());
  console.log(`wrote ${path}`);
}
