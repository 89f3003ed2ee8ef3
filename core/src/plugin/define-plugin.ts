/**
 * `definePlugin` turns a description into the value the host loads: name, kind, config schema, needed capabilities and
 * a factory. It keeps the types of config and needs together, so that the host needs no cast and no `any`.
 */

import type { z } from "zod";
import type { SessionStore } from "../sessions/store.js";
import type {
  AddressBackend,
  Arbiter,
  Fence,
  HostProcess,
  Observer,
  PluginKind,
  Service,
  Transport,
} from "./contract.js";
import type { Capability } from "./tokens.js";

/**
 * Raised when the contract changes so that an older plugin could not be run safely, and only then: what is added
 * (an optional method, a capability, an export) does not raise it. See PLUGINS.md for what is promised about it.
 */
export const PLUGIN_API_VERSION = 1;

export interface PluginKinds {
  readonly transport: Transport;
  readonly address: AddressBackend;
  readonly store: SessionStore;
  readonly service: Service;
  readonly arbiter: Arbiter;
  readonly fence: Fence;
  readonly observer: Observer;
}

export type Needs = Readonly<Record<string, Capability<unknown>>>;
export type Resolved<N extends Needs> = {
  readonly [K in keyof N]: N[K] extends Capability<infer T> ? T : never;
};

export interface PluginDescription<K extends PluginKind, S extends z.ZodType, N extends Needs> {
  /** The short name used in the config: "udp" for @understudy/transport-udp. */
  readonly name: string;
  readonly kind: K;
  /** Only transports and addresses may say "pulse", and only when they never block. Default "node". */
  readonly runsIn?: HostProcess;
  /** Arbiters only: its grant is exclusive (rule R30). Default false: it may only veto. */
  readonly exclusive?: boolean;
  /**
   * Transports only: the shortest interval between two beats, milliseconds, that the medium carries with this config.
   * The core sends no more often on this path, except at a change of role, and reckons its silence by it. Pure; absent:
   * it carries whatever the profile asks.
   */
  readonly beatIntervalMs?: (config: z.infer<S>) => number;
  /** Every option with `.describe()`, its unit and its default: docs and the editor's schema are made from it. */
  readonly config: S;
  readonly needs: N;
  /** No I/O here. Throws nothing: what can be wrong with a config belongs into the schema. */
  create(config: z.infer<S>, needs: Resolved<N>): PluginKinds[K];
}

/** What a plugin package exports by default. */
export interface Plugin<K extends PluginKind = PluginKind> {
  readonly understudyPlugin: true;
  readonly apiVersion: number;
  readonly name: string;
  readonly kind: K;
  readonly runsIn: HostProcess;
  readonly exclusive: boolean;
  /** Whether `beatIntervalMs` was given. Absent in plugins made before it could be. */
  readonly limitsBeats?: boolean;
  /** Of a parsed config; 0 where the medium sets no limit. */
  readonly beatIntervalMs: (config: unknown) => number;
  readonly config: z.ZodType;
  readonly needs: Needs;
  /** Called by the host with a parsed config and resolved needs only. */
  readonly make: (config: unknown, needs: Readonly<Record<string, unknown>>) => PluginKinds[K];
}

export function definePlugin<K extends PluginKind, S extends z.ZodType, const N extends Needs>(
  description: PluginDescription<K, S, N>,
): Plugin<K> {
  return {
    understudyPlugin: true,
    apiVersion: PLUGIN_API_VERSION,
    name: description.name,
    kind: description.kind,
    runsIn: description.runsIn ?? "node",
    exclusive: description.exclusive ?? false,
    limitsBeats: description.beatIntervalMs !== undefined,
    beatIntervalMs: (config) => description.beatIntervalMs?.(config as z.infer<S>) ?? 0,
    config: description.config,
    needs: description.needs,
    make: (config, needs) => description.create(config as z.infer<S>, needs as unknown as Resolved<N>),
  };
}
