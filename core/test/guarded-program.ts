/**
 * A process with a guard, to be killed: see guard.test.ts. Its arguments are the guard's name, its script and what the
 * system is to be called; prints the guard's process group once it is ready, and ends with its standard input.
 */

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { startGuard } from "../src/command/guard.js";

const [name = "", script = "", platform = process.platform] = process.argv.slice(2);
Object.defineProperty(process, "platform", { value: platform });
const guard = startGuard({ name, script, onDeath: (why) => console.log(`died: ${why}`) });
await guard.ready;
const children = execFileSync("ps", ["-e", "-o", "ppid=,pgid=,args="], { encoding: "utf8" });
const mine = children.split("\n").map((line) => /^\s*(\d+)\s+(\d+)\s+\/bin\/sh /.exec(line));
console.log(mine.find((found) => Number(found?.[1]) === process.pid)?.[2] ?? "no guard");
process.stdin.resume();
await once(process.stdin, "end");
