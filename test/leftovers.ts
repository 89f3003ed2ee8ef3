/**
 * Loaded before every test file: a process that does not end after its last test holds something open, and would wait
 * for ever without a word, since the runner's time limit is for tests. It is ended here, and says what it held.
 */

import { after } from "node:test";
import { isMainThread } from "node:worker_threads";

/** What a test began may still be ending; nothing in this house takes longer. */
const graceMs = 30_000;

// The runner itself loads this too, and so do the threads of a test.
if (process.env.NODE_TEST_CONTEXT !== undefined && isMainThread) {
  after(() => {
    // Holds nothing open itself: it only comes to its end where something else does.
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap");
      console.error(`${process.argv[1]} does not end: a test left something open: ${open.join(", ")}`);
      process.exit(1);
    }, graceMs).unref();
  });
}
