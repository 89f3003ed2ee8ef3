/** The plugins of this folder as entries of a config: each hangs or blocks in its own way, in the node process. */

import { fileURLToPath } from "node:url";

const file = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

/** To be put beside the paths that work. */
export const hangingPaths = [
  { plugin: file("deaf-transport"), name: "never-starts", class: "out-of-band" },
  { plugin: file("blocking-transport"), name: "blocks", class: "out-of-band" },
] as const;

export const hanging = {
  arbiters: [{ plugin: file("silent-arbiter") }],
  fences: [{ plugin: file("silent-fence") }],
  observers: [{ plugin: file("silent-observer") }],
} as const;
