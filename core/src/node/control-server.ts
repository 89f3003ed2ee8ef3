/**
 * The operator's door: takes requests from `<run>/node.sock`, has each handled, and answers with a result or with an
 * error a person can act on. Knows nothing of what the commands do.
 */

import { UnderstudyError } from "../errors/error.js";
import { nodeError } from "../errors/node.js";
import type { ControlCommand, ControlCommands, ControlError, ControlReply } from "../ipc/control.js";
import { type JsonLines, type JsonLinesServer, listenJsonLines } from "../ipc/json-lines.js";
import type { Log } from "../plugin/tokens.js";

/** `watch` streams and is the server's own. */
export type Handlers = {
  readonly [C in Exclude<ControlCommand, "watch">]: (
    args: ControlCommands[C]["args"],
  ) => Promise<ControlCommands[C]["result"]> | ControlCommands[C]["result"];
};

export interface ControlServer {
  /** Something that status shows has changed. */
  changed(): void;
  close(): Promise<void>;
}

export interface ControlServerOptions {
  readonly path: string;
  readonly handlers: Handlers;
  readonly log: Log;
}

/** Changes come in bursts; a person reads no faster than this. */
const watchPauseMs = 100;
const watchEveryMs = 1000;

type Connection = JsonLines<ControlReply>;

export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const watchers = new Map<Connection, string>();
  let pending: NodeJS.Timeout | undefined;

  async function tell(connection: Connection, id: string): Promise<void> {
    const data = await options.handlers.status({});
    connection.send({ id, type: "data", data });
  }

  function tellAll(): void {
    for (const [connection, id] of watchers) void tell(connection, id);
  }

  const everySecond = setInterval(tellAll, watchEveryMs);

  async function handle(connection: Connection, request: unknown): Promise<void> {
    const { id, command, args } = request as Record<string, unknown>;
    const requestId = typeof id === "string" ? id : "";
    try {
      if (command === "watch") {
        watchers.set(connection, requestId);
        await tell(connection, requestId);
        return;
      }
      const handler = handlerOf(options.handlers, command);
      const result = await handler(typeof args === "object" && args !== null ? args : {});
      if (!connection.send({ id: requestId, type: "result", result }) && connection.isOpen) {
        throw nodeError("NODE_FAILED", "the answer is too large for one line");
      }
    } catch (error) {
      connection.send({ id: requestId, type: "error", error: controlError(error, options.log) });
    }
  }

  const server: JsonLinesServer = await listenJsonLines<unknown, ControlReply>({
    path: options.path,
    connected: (connection) => ({
      message: (request) => void handle(connection, request),
      closed: () => void watchers.delete(connection),
    }),
  });

  return {
    changed() {
      if (watchers.size === 0) return;
      pending ??= setTimeout(() => {
        pending = undefined;
        tellAll();
      }, watchPauseMs);
    },
    close() {
      clearInterval(everySecond);
      clearTimeout(pending);
      return server.close();
    },
  };
}

function handlerOf(handlers: Handlers, command: unknown): (args: object) => unknown {
  if (typeof command === "string" && Object.hasOwn(handlers, command)) {
    // The table pairs every command with its own arguments; the compiler cannot follow that through a name.
    return handlers[command as keyof Handlers] as (args: object) => unknown;
  }
  throw nodeError("NODE_UNKNOWN_COMMAND", `this node knows no command ${JSON.stringify(command)}`);
}

function controlError(error: unknown, log: Log): ControlError {
  if (error instanceof UnderstudyError) {
    const { code, message, meaning, todo } = error;
    return { code, message, meaning, todo };
  }
  log.error({ error }, "an operator's command failed");
  const { code, message, meaning, todo } = nodeError(
    "NODE_FAILED",
    error instanceof Error ? error.message : String(error),
  );
  return { code, message, meaning, todo };
}
