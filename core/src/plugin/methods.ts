/**
 * The methods of each kind as data: which must be there, and how many arguments the core gives. The compiler keeps the
 * table complete: a method added to the contract must be added here.
 */

import type { PluginKind } from "./contract.js";
import type { PluginKinds } from "./define-plugin.js";

export interface Method {
  readonly required: boolean;
  /** As many arguments as the core gives; one that needs more could never work. */
  readonly given: number;
}

/** Optional methods alone may be marked so. */
type MethodOf<T, M extends keyof T> =
  Record<never, never> extends Pick<T, M> ? Method : Method & { readonly required: true };
type Methods = { readonly [K in PluginKind]: MethodsOf<PluginKinds[K]> };
type MethodsOf<T> = { readonly [M in keyof T]-?: MethodOf<T, M> };

const must = (given: number) => ({ required: true, given }) as const;
const may = (given: number) => ({ required: false, given }) as const;

export const methods: Methods = {
  transport: { start: must(1), send: must(1), stop: must(0), probeTarget: may(0), describe: must(0) },
  address: {
    start: must(1),
    acquire: must(1),
    release: must(0),
    holds: must(0),
    stop: must(0),
    describe: must(0),
    withdraw: may(0),
    renew: may(0),
    dropLease: may(0),
    armClaims: may(1),
    announce: may(0),
    probeAddress: may(0),
    drain: may(0),
    probeNeighbours: may(0),
    protections: may(0),
  },
  store: {
    open: must(0),
    close: must(0),
    begin: must(0),
    commit: must(0),
    rollback: must(0),
    get: must(1),
    runningOf: must(1),
    put: must(1),
    removeEnded: must(2),
    list: must(1),
    changesAfter: must(3),
    countByAgent: must(0),
    size: must(0),
    getMeta: must(1),
    setMeta: must(2),
    snapshot: must(2),
    replaceWith: must(1),
    describe: must(0),
  },
  service: {
    start: must(0),
    promote: must(1),
    demote: must(0),
    health: must(0),
    stop: must(0),
    describe: must(0),
  },
  arbiter: { start: must(0), ask: must(2), release: may(1), stop: must(0), describe: must(0) },
  fence: { start: must(0), fence: must(1), check: may(1), stop: must(0), describe: must(0) },
  observer: { start: must(0), observe: must(1), stop: must(0), describe: must(0) },
};
