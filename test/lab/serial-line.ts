/**
 * A serial cable between two nodes that is as slow as a real one: see `serial-line-process.ts`, which is before everything
 * else on the machine where that is allowed, because no UART waits for a processor.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface SerialLine {
  /** The devices of the two ends. */
  readonly primary: string;
  readonly secondary: string;
  /** What travels from then on is lost, and nobody is told: a cable that is pulled makes no event. Settles when it is. */
  cut(): Promise<void>;
  mend(): void;
  /** How much later than due bytes were delivered, milliseconds, the newest thousand deliveries. */
  latenessMs(): Promise<readonly number[]>;
  close(): Promise<void>;
}

export async function startSerialLine(baud: number): Promise<SerialLine> {
  const script = fileURLToPath(new URL("./serial-line-process.js", import.meta.url));
  // Above the pair's own pulse, which runs at 50.
  const first = 'chrt --fifo 60 "$0" "$@" || exec "$0" "$@"';
  const child = spawn("sh", ["-c", first, process.execPath, script, String(baud)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const end = () => void child.stdin.end();
  process.once("exit", end);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done) throw new Error("the serial line ended");
    return line.value;
  };
  const say = (command: string) => void child.stdin.write(`${command}\n`);
  const { a, b } = JSON.parse(await next()) as { a: string; b: string };
  return {
    primary: a,
    secondary: b,
    cut: async () => {
      say("cut");
      await next();
    },
    mend: () => say("mend"),
    latenessMs: async () => {
      say("lateness");
      return JSON.parse(await next()) as number[];
    },
    close: async () => {
      process.removeListener("exit", end);
      end();
      await ended(child);
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
