/**
 * Keeps one device open: tries again, ever more slowly, when it is not there, and anew when it went away. What is done
 * with the open port is the transport's business.
 */

import type { OpenPort, Port } from "./port.js";

const firstRetryMs = 50;
const longestRetryMs = 1000;
/** A device that has not answered by then is waited for in the background. */
const startWaitsMs = 1000;
const stopWaitsMs = 1000;

export interface Tenant {
  opened(port: Port): void;
  arrived(bytes: Uint8Array): void;
  /** Why there is no port now; after `opened`, and after each attempt that failed. */
  down(why: string): void;
}

export interface Reopening {
  readonly port: Port | undefined;
  /** Settles when the first attempt has, or after a second. */
  start(): Promise<void>;
  /** The port is of no use: it is closed and opened anew. */
  lose(why: string): void;
  /** Proves that the line works: after the next loss the first attempt comes soon. */
  worked(): void;
  /** Settles when the device is closed, or after a second. */
  stop(): Promise<void>;
}

export function keepOpen(device: string, baud: number, open: OpenPort, tenant: Tenant): Reopening {
  let port: Port | undefined;
  let stopped = false;
  let retryMs = firstRetryMs;
  let retry: NodeJS.Timeout | undefined;
  let attempt: Promise<void> = Promise.resolve();
  let closing: Promise<void> = Promise.resolve();

  const tryLater = (why: string): void => {
    if (stopped) return;
    tenant.down(why);
    retry = setTimeout(() => {
      attempt = tryOpen();
    }, retryMs);
    retryMs = Math.min(retryMs * 2, longestRetryMs);
  };
  const lose = (why: string): void => {
    if (port === undefined) return;
    closing = port.close();
    port = undefined;
    tryLater(why);
  };
  const tryOpen = async (): Promise<void> => {
    await closing;
    if (stopped) return;
    let here: Port | undefined;
    let lostEarly: string | undefined;
    const opened = await open(device, baud, {
      arrived: (bytes) => {
        if (here !== undefined && here === port) tenant.arrived(bytes);
      },
      lost: (why) => {
        lostEarly ??= why;
        if (here !== undefined && here === port) lose(why);
      },
    });
    if (typeof opened === "string") return tryLater(opened);
    here = opened;
    if (stopped || lostEarly !== undefined) {
      closing = opened.close();
      return tryLater(lostEarly ?? "stopped");
    }
    port = opened;
    tenant.opened(opened);
  };

  return {
    get port() {
      return port;
    },
    async start() {
      attempt = tryOpen();
      await Promise.race([attempt, after(startWaitsMs)]);
    },
    lose,
    worked() {
      retryMs = firstRetryMs;
    },
    async stop() {
      stopped = true;
      clearTimeout(retry);
      lose("stopped");
      // An adapter that answers nothing may hold the thread that opens or closes it, and nobody should wait for that.
      await Promise.race([attempt.then(() => closing), after(stopWaitsMs)]);
    },
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
