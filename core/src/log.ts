/**
 * The log of a process: one JSON object a line, written without ever blocking, with secrets left out. What a slow
 * reader does not take is dropped beyond a mebibyte, because a log must never delay a takeover.
 */

import { type DestinationStream, destination, pino } from "pino";
import { UnderstudyError } from "./errors/error.js";
import type { Log } from "./plugin/tokens.js";

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface ProcessLog extends Log {
  /** A log whose lines all carry these fields, such as the plugin's name. */
  with(fields: object): Log;
  setLevel(level: LogLevel): void;
  /** Writes what is still held, for the last words of a process. */
  flush(): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  /** On every line, such as node name and process. */
  readonly fields: object;
  /** Default: standard output. */
  readonly stream?: DestinationStream;
}

const mostBufferedBytes = 1024 * 1024;

const secretNames = ["secret", "secrets", "token", "password", "authorization", "psk", "key", "privateKey"];

export function createLog(options: LogOptions): ProcessLog {
  const ownStream = destination({ fd: 1, sync: false, maxLength: mostBufferedBytes });
  const stream = options.stream ?? ownStream;
  const logger = pino(
    {
      level: options.level,
      base: options.fields,
      messageKey: "message",
      timestamp: () => `,"at":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
      redact: {
        paths: secretNames.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: "(secret)",
      },
    },
    stream,
  );
  return {
    ...logThrough(logger),
    with: (fields) => logThrough(logger.child(fields)),
    setLevel(level) {
      logger.level = level;
    },
    flush() {
      if (stream !== ownStream) return;
      try {
        ownStream.flushSync();
      } catch {
        // Nobody reads any more: there is no one to tell.
      }
    },
  };
}

function logThrough(logger: Pick<Log, "debug" | "info" | "warn" | "error">): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

function describeError(error: unknown): unknown {
  if (error instanceof UnderstudyError) {
    const { code, message, meaning, todo } = error;
    return { code, message, meaning, todo };
  }
  if (!(error instanceof Error)) return error;
  return { message: error.message, code: (error as NodeJS.ErrnoException).code, stack: error.stack };
}
