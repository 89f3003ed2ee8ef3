/** Drives a holder or an asker from a test: sends a line, awaits its answer, awaits what it reports by itself. */

import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { PrivateSegment } from "@understudy/core/conformance/private-network";

export type Message = Readonly<Record<string, unknown>>;

export interface Holder {
  readonly pid: number;
  /** Throws when the holder answers with an error. */
  ask(command: string): Promise<unknown>;
  /** The first message from now on, or of those not yet awaited, that matches. */
  heard(what: string, matches: (message: Message) => boolean): Promise<Message>;
  signal(signal: NodeJS.Signals): void;
  /** Settles when the process is gone. */
  readonly ended: Promise<unknown>;
  /** Everything said so far, for a failing test's message. */
  said(): string;
}

/** Nothing that a holder started may outlive it, however it went. */
export function processesOn(machine: string): string {
  const pids = execFileSync("ip", ["netns", "pids", machine], { encoding: "utf8" }).trim();
  return pids === ""
    ? ""
    : execFileSync("ps", ["-o", "pid=,args=", "-p", pids.replace(/\s+/g, ",")], { encoding: "utf8" });
}

const deadlineMs = 20_000;

export function startHolder(
  segment: PrivateSegment,
  machine: string,
  setup: object,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Holder> {
  return startProgram(segment, machine, ["./holder.js", JSON.stringify(setup)], env);
}

/** `ask("ask 10.0.0.4")` says whether it answers; `ask("send ADDRESS HEX")` sends a datagram to the beats' port. */
export function startAsker(segment: PrivateSegment, machine: string): Promise<Holder> {
  return startProgram(segment, machine, ["./asker.js"], process.env);
}

async function startProgram(
  segment: PrivateSegment,
  machine: string,
  [file = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Holder> {
  const script = fileURLToPath(new URL(file, import.meta.url));
  // `ip netns exec` replaces itself by the command, so this is the program's own process.
  const child: ChildProcess = segment.start(machine, process.execPath, [script, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env,
  });
  const messages: Message[] = [];
  const all: string[] = [];
  const waiting = new Set<() => void>();
  if (child.stdout === null || child.stdin === null) throw new Error("the holder has no pipes");
  createInterface({ input: child.stdout }).on("line", (line) => {
    all.push(line);
    messages.push(JSON.parse(line) as Message);
    for (const look of waiting) look();
  });
  const stdin = child.stdin;
  stdin.on("error", () => {});
  const ended = once(child, "exit");
  await once(child, "spawn");
  const said = () => all.slice(-30).join("\n");

  const heard = (what: string, matches: (message: Message) => boolean) =>
    new Promise<Message>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`waited ${deadlineMs} ms in vain for: ${what}; it said:\n${said()}`));
      }, deadlineMs);
      const look = () => {
        const at = messages.findIndex(matches);
        if (at < 0) return;
        clearTimeout(timer);
        waiting.delete(look);
        const [message] = messages.splice(at, 1);
        if (message !== undefined) resolve(message);
      };
      waiting.add(look);
      look();
    });

  return {
    pid: child.pid ?? 0,
    async ask(command) {
      const name = command.split(" ")[0];
      stdin.write(`${command}\n`);
      const message = await heard(`answer to ${command}`, ({ answered }) => answered === name);
      if (message.error !== undefined) throw new Error(`${command}: ${message.error}`);
      return message.answer;
    },
    heard,
    signal: (signal) => void child.kill(signal),
    ended,
    said,
  };
}
