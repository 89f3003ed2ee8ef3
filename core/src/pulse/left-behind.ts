/**
 * Takes the HA address off this machine before any other plugin is even loaded (rule R6): what a former pulse left behind
 * must not be held hostage by a transport whose code is slow to load, or never ends to. The backends do it again at start.
 */

import { connect } from "node:net";
import type { LocalConfig } from "../config/config.js";
import { UnderstudyError } from "../errors/error.js";
import type { AddressBackend } from "../plugin/contract.js";
import { buildPlugin, type CapabilityValues, loadPlugin } from "../plugin/host.js";
import type { Log } from "../plugin/tokens.js";
import { inTime } from "./deadline.js";

const withdrawLimitMs = 2000;
const connectLimitMs = 500;

/** Never rejects for what the start that follows will find and tell by itself. */
export async function removeLeftBehind(
  local: LocalConfig,
  socketPath: string,
  given: CapabilityValues & { readonly log: Log },
): Promise<void> {
  // A pulse that runs holds the address rightly; this one will not get any further than its socket.
  if (await answers(socketPath)) return;
  for (const backend of (await freshBackends(local, given)).reverse()) {
    if (backend.withdraw === undefined) continue;
    try {
      const outcome = await inTime("the withdrawal", withdrawLimitMs, () => withdrawn(backend));
      if (outcome !== "confirmed")
        given.log.warn({ outcome }, "what a former run may have left is not known");
    } catch (error) {
      given.log.warn({ error }, "what a former run may have left is not known");
    }
  }
}

async function withdrawn(backend: AddressBackend): Promise<string> {
  return (await backend.withdraw?.()) ?? "confirmed";
}

async function freshBackends(local: LocalConfig, given: CapabilityValues): Promise<AddressBackend[]> {
  const { config, file } = local;
  try {
    const loaded = await Promise.all(config.address.map((entry) => loadPlugin(entry, "address", file)));
    return loaded.map((one) => buildPlugin(one, given));
  } catch (error) {
    if (error instanceof UnderstudyError) return [];
    throw error;
  }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(connectLimitMs, () => settle(true));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}
