/** The memory store as a module that the session thread can load, with its copies in real files. */

import { readFileSync, writeFileSync } from "node:fs";
import { createMemoryStore, type MemoryStore } from "../src/conformance/memory-store.js";
import type { SessionRow, SessionStore } from "../src/sessions/store.js";

export interface MemoryModuleOptions {
  /** While this file is there, every commit fails with the kind of failure it holds, or hangs until it is gone. */
  readonly faultFile: string;
}

export function createStore(options: MemoryModuleOptions): SessionStore {
  const store: MemoryStore = createMemoryStore();
  const commit = store.commit;
  store.commit = () => {
    do store.fault = faultOf(options.faultFile);
    while ((store.fault?.kind as string) === "hangs" && sleep(20));
    commit();
  };
  store.snapshot = async (file, progress) => {
    const { rows, meta } = store.image();
    writeFileSync(file, JSON.stringify({ rows: [...rows], meta: [...meta] }));
    progress(1);
  };
  store.replaceWith = (file) => {
    const { rows, meta } = JSON.parse(readFileSync(file, "utf8")) as {
      rows: [string, SessionRow][];
      meta: [string, string][];
    };
    store.restore({ rows: new Map(rows), meta: new Map(meta) });
  };
  return store;
}

function sleep(ms: number): true {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  return true;
}

function faultOf(file: string): MemoryStore["fault"] {
  try {
    return { kind: readFileSync(file, "utf8") as "full" | "broken" };
  } catch {
    return undefined;
  }
}
