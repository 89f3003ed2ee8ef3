/** The addresses of "this machine": a file with one a line. Replace this by what your system has. */

import { readFile, rename, writeFile } from "node:fs/promises";

export async function readTable(path: string): Promise<readonly string[]> {
  try {
    return (await readFile(path, "utf8")).split("\n").filter((line) => line !== "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** As a whole or not at all. */
export async function writeTable(path: string, addresses: readonly string[]): Promise<void> {
  await writeFile(`${path}.new`, addresses.map((address) => `${address}\n`).join(""));
  await rename(`${path}.new`, path);
}
