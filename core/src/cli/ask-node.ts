/**
 * Asks the running node of this machine one thing over its control socket. An answer is a value; a refusal is the error
 * that the node explained; nobody there is CLI_NOT_RUNNING.
 */

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import type { LocalConfig } from "../config/config.js";
import { cliError } from "../errors/cli.js";
import { UnderstudyError } from "../errors/error.js";
import type { ControlCommand, ControlCommands, ControlReply, ControlRequest } from "../ipc/control.js";
import { speakJsonLines } from "../ipc/json-lines.js";

/** Longer than anything a node does for an operator: a switchover with its freeze, an import page. */
const answerLimitMs = 60_000;

export type Ask = <C extends ControlCommand>(
  command: C,
  args: ControlCommands[C]["args"],
) => Promise<ControlCommands[C]["result"]>;

export function askerOf({ config }: Pick<LocalConfig, "config">): Ask {
  const path = join(config.folders.run, "node.sock");
  return (command, args) => askNode(path, command, args);
}

export function askNode<C extends ControlCommand>(
  path: string,
  command: C,
  args: ControlCommands[C]["args"],
  limitMs = answerLimitMs,
): Promise<ControlCommands[C]["result"]> {
  return new Promise((resolve, reject) => {
    const id = randomUUID();
    const socket = connect(path);
    const timer = setTimeout(() => {
      reject(cliError("CLI_NO_ANSWER", `the node did not answer ${command} within ${limitMs / 1000} s`));
      socket.destroy();
    }, limitMs);
    socket.once("error", (cause) => reject(notRunning(path, cause)));
    socket.once("connect", () => {
      const request: ControlRequest<C> = { id, command, args };
      const lines = speakJsonLines<ControlReply, ControlRequest<C>>(socket, {
        message(reply) {
          if (reply.id !== id || reply.type === "data") return;
          if (reply.type === "result") resolve(reply.result as ControlCommands[C]["result"]);
          else reject(asError(reply.error));
          lines.close();
        },
        closed: (reason) =>
          reject(cliError("CLI_NO_ANSWER", `the node ended before it answered ${command}: ${reason}`)),
      });
      lines.send(request);
    });
    socket.once("close", () => clearTimeout(timer));
  });
}

function notRunning(path: string, cause: NodeJS.ErrnoException): Error {
  if (cause.code === "EACCES") {
    return cliError("CLI_NOT_ALLOWED", `this user may not speak to the node on ${path}`, { cause });
  }
  if (isListening(join(dirname(path), "pulse.sock"))) {
    return cliError("CLI_ONLY_PULSE", `pulse runs, but no node answers on ${path}`, { cause });
  }
  return cliError("CLI_NOT_RUNNING", `no node answers on ${path} (${cause.code ?? cause.message})`, {
    cause,
  });
}

/** Connecting would be taken for a node process, so the kernel is asked; where it does not say, nobody is there. */
function isListening(path: string): boolean {
  const acceptsConnections = 0x10000;
  try {
    return readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(
        (fields) => fields[7] === path && (Number.parseInt(fields[3] ?? "", 16) & acceptsConnections) !== 0,
      );
  } catch {
    return false;
  }
}

function asError({ code, message, meaning, todo }: Extract<ControlReply, { type: "error" }>["error"]): Error {
  return new UnderstudyError(code, message, { meaning, todo });
}
