/**
 * Ends the process of a suite in which something still runs after all was stopped: a timer, a socket, a child. Without it
 * such a plugin would pass every test, and the suite would hang without a word.
 */

import { after } from "node:test";
import { explain } from "../errors/error.js";
import { pluginError } from "../errors/plugins.js";

/** Long past every deadline of a stop; nothing waits for it where nothing is left. */
const patienceMs = 10_000;

/** Called once, when all suites have been described. */
export function endWithLeftovers(): void {
  after(() => {
    // Unreferenced: it fires only in a process that something else keeps alive.
    setTimeout(() => {
      const what = `all tests have ended, and ${patienceMs / 1000} s later this still runs: ${stillRunning()}`;
      process.stderr.write(`understudy: ${explain(pluginError("PLUGIN_LEAVES_RUNNING", what))}\n`);
      process.exit(1);
    }, patienceMs).unref();
  });
}

const names: Readonly<Record<string, string>> = {
  Timeout: "a timer",
  TCPSocketWrap: "a TCP connection",
  TCPServerWrap: "a TCP server",
  UDPWrap: "a UDP socket",
  ProcessWrap: "a child process",
  FSReqCallback: "a file operation",
  MessagePort: "a worker thread or message port",
  FSEventWrap: "a watched file",
  PipeWrap: "a Unix socket or pipe",
  PipeServerWrap: "a server on a Unix socket",
};

/** "a timer (2 times), a TCP server": what keeps the event loop alive. */
function stillRunning(): string {
  const counts = new Map<string, number>();
  // The streams of this process itself count as pipes too, or as a terminal.
  let own = [process.stdout, process.stderr].length;
  for (const type of process.getActiveResourcesInfo()) {
    if (type === "TTYWrap") continue;
    if (type === "PipeWrap" && own > 0) {
      own -= 1;
      continue;
    }
    const name = names[type] ?? type;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const all = [...counts].map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`));
  return all.length === 0 ? "something that has no name" : all.join(", ");
}
