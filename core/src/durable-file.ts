/**
 * Puts a file of this node in its place: as a whole or not at all, durably, and for nobody else to read. A crash at any
 * moment leaves what was there before.
 */

import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

export async function placeFile(path: string, write: (file: FileHandle) => Promise<unknown>): Promise<void> {
  const temporary = `${path}.new`;
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  // The name is in the folder, which has a cache of its own.
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}
