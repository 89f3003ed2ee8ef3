/**
 * A changed config or key file without an outage. Pulse reads both itself, takes a config over as a whole or not at all,
 * and goes on with what it has when the new one is wrong.
 */

import type { LocalConfig } from "../config/config.js";
import { UnderstudyError } from "../errors/error.js";
import { pulseError } from "../errors/pulse.js";
import type { KeyRing } from "../keys/key-file.js";
import type { Clock, Log } from "../plugin/tokens.js";
import { needsRestart } from "./settings.js";
import type { PulseTimeline } from "./timeline.js";

export interface ReloadingParts {
  readonly local: LocalConfig;
  readonly log: Log;
  readonly clock: Clock;
  readonly timeline: PulseTimeline;
  loadConfig(): Promise<LocalConfig>;
  readKeys(): KeyRing;
  useConfig(local: LocalConfig): void;
  useKeys(ring: KeyRing): void;
}

export interface Reloading {
  reloadConfig(): Promise<void>;
  reloadKeys(): void;
}

export function createReloading(parts: ReloadingParts): Reloading {
  const { log, timeline, clock } = parts;
  let { local } = parts;

  /** Only what was foreseen can be wrong with a file; anything else ends the process like every broken invariant. */
  function refuse(what: string, error: unknown): void {
    if (!(error instanceof UnderstudyError)) throw error;
    log.error({ error }, what);
    const { code, message, todo } = error;
    timeline.record(clock.nowMs(), "config", `${what}: ${message}`, ["R28"], { code, todo });
  }

  return {
    async reloadConfig() {
      try {
        const changed = await parts.loadConfig();
        const keys = needsRestart(local, changed);
        if (keys.length > 0)
          throw pulseError("RELOAD_NEEDS_RESTART", `changed keys need a restart: ${keys.join(", ")}`);
        local = changed;
        parts.useConfig(changed);
      } catch (error) {
        refuse("the changed config is not taken over", error);
      }
    },
    reloadKeys() {
      try {
        const ring = parts.readKeys();
        parts.useKeys(ring);
        const ids = ring.keys.map(({ id }) => id);
        const what = `the key file was read again: signing with key ${ring.signWith}, accepting ${ids.join(", ")}`;
        timeline.record(clock.nowMs(), "keys", what, ["R29"]);
      } catch (error) {
        refuse("the changed key file is not taken over", error);
      }
    },
  };
}
