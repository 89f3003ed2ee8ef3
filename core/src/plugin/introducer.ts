/**
 * The process in which a plugin introduces itself: `node introducer.js <what is asked, JSON>`. Says over its channel what
 * the plugin is, or what is wrong with it; whoever started it ends it.
 */

import { Worker } from "node:worker_threads";
import { UnderstudyError } from "../errors/error.js";
import { type Asked, type FromIntroducer, introduceHere, toFaults } from "./introduction.js";

/** Longer than anybody waits for it. */
const lifeMs = 120_000;

// A plugin that never lets go of the thread must not run on when whoever asked was killed.
new Worker(`setTimeout(() => process.kill(process.pid, "SIGKILL"), ${lifeMs})`, { eval: true }).unref();
process.on("disconnect", () => process.exit());

const asked = JSON.parse(process.argv[2] ?? "") as Asked;
say({ type: "begins" });
say(await answer());

function say(message: FromIntroducer): void {
  process.send?.(message);
}

async function answer(): Promise<FromIntroducer> {
  try {
    return { type: "introduced", introduction: await introduceHere(asked) };
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error;
    return { type: "faulty", faults: toFaults(error) };
  }
}
