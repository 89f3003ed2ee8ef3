/**
 * The one door to the container: gives a plugin what it `needs` out of a child container made for it alone. Plugins get
 * plain values, never the container, so that they cannot reach what they did not ask for.
 */

// tsyringe refuses to be imported before this polyfill.
import "@abraham/reflection";
import { container } from "tsyringe";
import type { Needs } from "./define-plugin.js";
import { type Capability, capabilities } from "./tokens.js";

type ValueOf<C> = C extends Capability<infer T> ? T : never;

/** What a process can give to a plugin, by the names of `capabilities`; what is undefined cannot be had. */
export type CapabilityValues = {
  readonly [K in keyof typeof capabilities]?: ValueOf<(typeof capabilities)[K]> | undefined;
};

export interface ResolvedNeeds {
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of the capabilities that were asked for and cannot be had. */
  readonly missing: readonly string[];
}

export function resolveNeeds(needs: Needs, given: CapabilityValues): ResolvedNeeds {
  const child = container.createChildContainer();
  const known: Readonly<Record<string, Capability<unknown>>> = capabilities;
  for (const [name, value] of Object.entries(given)) {
    const capability = known[name];
    if (capability !== undefined && value !== undefined) child.register(capability.key, { useValue: value });
  }
  const wanted = Object.entries(needs);
  const missing = wanted.filter(([, { key }]) => !child.isRegistered(key)).map(([, { name }]) => name);
  const values = wanted
    .filter(([, { key }]) => child.isRegistered(key))
    .map(([name, { key }]) => [name, child.resolve<unknown>(key)] as const);
  return { values: Object.fromEntries(values), missing };
}
