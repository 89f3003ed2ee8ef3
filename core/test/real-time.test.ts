/** Real-time scheduling as the kernel has it: of pulse's threads, and of what pulse started before it rose above that. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const realTimeModule = new URL("../src/pulse/real-time.js", import.meta.url).href;

/** Priority and policy of all threads: fields 40 and 41 of /proc/PID/task/TID/stat, proc_pid_stat(5). */
const program = `
  import { spawn } from "node:child_process";
  import { readdirSync, readFileSync } from "node:fs";
  import { becomeRealTime } from ${JSON.stringify(realTimeModule)};
  const scheduling = (pid) => [...new Set(readdirSync(\`/proc/\${pid}/task\`).map((thread) => {
    const fields = readFileSync(\`/proc/\${pid}/task/\${thread}/stat\`, "utf8").split(") ")[1].split(" ");
    return \`\${fields[37]} \${fields[38]}\`;
  }))].join();
  const realTime = await becomeRealTime();
  const child = spawn("cat", { stdio: ["pipe", "ignore", "ignore"] });
  realTime.riseAboveChildren();
  console.log(JSON.stringify({ protection: realTime.protection, own: scheduling(process.pid), child: scheduling(child.pid) }));
  child.stdin.end();
`;

test("what pulse starts is real-time too, and below pulse", (t) => {
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  const { protection, own, child } = JSON.parse(said);
  if (!protection.inForce) return t.skip(protection.detail);
  assert.deepEqual({ own, child }, { own: "50 1", child: "49 1" });
});
