/**
 * The routes and rules that move with the HA addresses, worked out from the options once the interfaces are known. Pure:
 * what shall be there, not whether it is.
 */

import { isIP } from "node:net";
import type { HaAddress } from "@understudy/core/public";
import { addressError } from "./errors.js";
import type { PlacedAddress } from "./ip-commands.js";
import { canonical, everything, parsePrefix } from "./prefix.js";
import type { WrittenRoute, WrittenRule } from "./route-options.js";

export interface Route {
  readonly family: 4 | 6;
  /** With its length, everything is 0.0.0.0/0 or ::/0. */
  readonly to: string;
  readonly via: string | undefined;
  readonly interfaceName: string;
  readonly onlink: boolean;
  readonly table: number;
  readonly metric: number | undefined;
  readonly source: string | undefined;
}

export interface Rule {
  readonly family: 4 | 6;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly table: number;
  readonly priority: number;
}

/** The HA address from which connections beyond the default gateway on its interface shall come. */
export interface PreferredSource {
  readonly family: 4 | 6;
  readonly address: string;
  readonly interfaceName: string;
}

export interface RoutePlan {
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly sources: readonly PreferredSource[];
}

export interface RoutingOptions {
  readonly preferredSource?: boolean | string | undefined;
  readonly routes: readonly WrittenRoute[];
  readonly rules: readonly WrittenRule[];
}

export const mainTable = 254;
const numberOf = (table: "main" | number) => (table === "main" ? mainTable : table);
const families = [4, 6] as const;

/** Throws where the options name what this cluster does not have. */
export function planRoutes(options: RoutingOptions, placed: readonly PlacedAddress[]): RoutePlan {
  return {
    routes: options.routes.map((written) => planRoute(written, placed)),
    rules: planRules(options.rules, placed),
    sources: preferredSources(options.preferredSource, placed),
  };
}

function planRoute(written: WrittenRoute, placed: readonly PlacedAddress[]): Route {
  const { to, via, source, onlink, table, metric } = written;
  const named = to === "default" ? (via ?? (typeof source === "string" ? source : "")) : to;
  const family = parsePrefix(named)?.family ?? 4;
  const first = placed.find((one) => one.family === family);
  const interfaceName = written.interface ?? first?.interfaceName;
  if (interfaceName === undefined) {
    throw impossible(`the route to ${to} names no interface, and no HA address is IPv${family}`);
  }
  return {
    family,
    to: to === "default" ? everything(family) : (parsePrefix(to)?.text ?? to),
    via: via === undefined ? undefined : canonical(via),
    interfaceName,
    onlink,
    table: numberOf(table),
    metric,
    source: source === undefined ? undefined : sourceOf(source, family, placed, `the route to ${to}`),
  };
}

function sourceOf(
  source: true | string,
  family: 4 | 6,
  placed: readonly PlacedAddress[],
  what: string,
): string {
  const ofFamily = placed.filter((one) => one.family === family).map(({ address }) => canonical(address));
  const found = source === true ? ofFamily[0] : ofFamily.find((address) => address === canonical(source));
  if (found !== undefined) return found;
  const there = placed.map(({ address }) => address).join(", ");
  throw impossible(
    source === true
      ? `${what} wants an HA address of IPv${family} as its source; there are: ${there}`
      : `${what} has the source ${source}, which is no HA address; there are: ${there}`,
  );
}

/** `true` stands for every HA address, and makes one rule each. */
function planRules(rules: readonly WrittenRule[], placed: readonly HaAddress[]): readonly Rule[] {
  return rules.flatMap(({ from, to, table, priority }) => {
    const ends = (written: true | string | undefined, family: 4 | 6): readonly (string | undefined)[] => {
      if (written === undefined) return [undefined];
      const texts = written === true ? placed.map(({ address }) => address) : [written];
      return texts.map(parsePrefix).flatMap((one) => (one?.family === family ? [one.text] : []));
    };
    return families.flatMap((family) =>
      ends(from, family).flatMap((fromText) =>
        ends(to, family).map((toText) => ({
          family,
          from: fromText,
          to: toText,
          table: numberOf(table),
          priority,
        })),
      ),
    );
  });
}

function preferredSources(
  wanted: boolean | string | undefined,
  placed: readonly PlacedAddress[],
): readonly PreferredSource[] {
  if (wanted === undefined || wanted === false) return [];
  const what = "`preferredSource`";
  const addresses =
    wanted === true
      ? families.flatMap((family) => placed.find((one) => one.family === family)?.address ?? [])
      : [sourceOf(wanted, isIP(wanted) === 6 ? 6 : 4, placed, what)];
  return placed
    .filter(({ address }) => addresses.some((one) => canonical(one) === canonical(address)))
    .map(({ family, address, interfaceName }) => ({ family, address: canonical(address), interfaceName }));
}

function impossible(what: string): Error {
  return addressError("ADDRESS_ROUTE_IMPOSSIBLE", what);
}

/** The two halves of everything: more specific than any default route, which stays as it is underneath. */
const halves = { 4: ["0.0.0.0/1", "128.0.0.0/1"], 6: ["::/1", "8000::/1"] } as const;

/**
 * The routes that put the HA address into the source of what goes to the default gateway. The default route itself is
 * never changed: should our process end in any way, it is there and says what it said before.
 */
export function sourceRoutes({ family, address, interfaceName }: PreferredSource, via: string | undefined) {
  return halves[family].map(
    (to): Route => ({
      family,
      to,
      via,
      interfaceName,
      onlink: false,
      table: mainTable,
      metric: undefined,
      source: address,
    }),
  );
}
