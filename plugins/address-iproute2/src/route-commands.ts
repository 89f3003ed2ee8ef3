/** What is said to `ip` about routes and rules, and what its listings mean. Pure text in, pure text out. */

import { everything, parsePrefix } from "./prefix.js";
import { mainTable, type Route, type Rule } from "./route-plan.js";

/**
 * The protocol that our routes and rules carry, `ip route show proto 85`: nobody's in iproute2's rt_protos. What carries
 * another was made by somebody else and is never touched, for the kernel compares it when it deletes.
 */
export const ourProtocol = 85;

export function addRoute({ to, via, interfaceName, onlink, table, metric, source }: Route): string {
  return [
    `route add ${to}`,
    via === undefined ? "" : ` via ${via}`,
    ` dev ${interfaceName}${onlink ? " onlink" : ""} table ${table}`,
    metric === undefined ? "" : ` metric ${metric}`,
    source === undefined ? "" : ` src ${source}`,
    ` proto ${ourProtocol}`,
  ].join("");
}

/** Without the next hop and the source: the kernel takes the source out of IPv6 routes when the address goes. */
export function deleteRoute({ to, table, metric }: Pick<Route, "to" | "table" | "metric">): string {
  return `route del ${to} table ${table}${metric === undefined ? "" : ` metric ${metric}`} proto ${ourProtocol}`;
}

function ruleText({ from, to, table, priority }: Rule): string {
  const ends = `${from === undefined ? "" : ` from ${from}`}${to === undefined ? "" : ` to ${to}`}`;
  return `${ends} table ${table} priority ${priority} protocol ${ourProtocol}`;
}

/** To an `ip` of the rule's family: unlike routes, it does not see from the addresses which that is. */
export const addRule = (rule: Rule): string => `rule add${ruleText(rule)}`;
export const deleteRule = (rule: Rule): string => `rule del${ruleText(rule)}`;

export const showRoutes = `route show table all proto ${ourProtocol}`;
export const showDefaults = "route show default table all";
/** What `ip` complains of when a rule is there already: the only way to ask for one. */
export const isThere = (complaint: string): boolean => complaint.includes("File exists");

/** The kernel does not know the `src` of a route as an address of ours. */
export const isSourceMissing = (complaint: string): boolean => complaint.includes("Invalid source address");

/** Every deletion, for an `ip` that talks to nobody. Those with a metric first: without one any metric matches. */
export function deletions(routes: readonly Route[], rules: readonly Rule[]) {
  const byMetric = routes.toSorted((a, b) => (b.metric ?? 0) - (a.metric ?? 0));
  const of = (family: 4 | 6) => rules.filter((rule) => rule.family === family).map(deleteRule);
  return { any: [...byMetric.map(deleteRoute), ...of(4)], v6: of(6) };
}

export type FoundRoute = Omit<Route, "onlink">;

/** Words without a value behind them, by print_route of iproute2. */
const flags = new Set(["onlink", "linkdown", "dead", "pervasive", "offload", "trap", "notify", "unresolved"]);

/** One line of `ip -o route show`; undefined when it is about something else, several next hops among it. */
export function parseRouteLine(line: string, tables: ReadonlyMap<string, number>): FoundRoute | undefined {
  const [to = "", ...words] = line.trim().split(/\s+/);
  const values = new Map<string, string>();
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    if (flags.has(word)) continue;
    values.set(word, words[at + 1] ?? "");
    at += 1;
  }
  const via = values.get("via");
  const interfaceName = values.get("dev");
  if (interfaceName === undefined || words.includes("nexthop")) return undefined;
  const family =
    parsePrefix(to)?.family ??
    (`${via}${values.get("src")}${values.get("pref")}`.includes(":") || values.has("pref") ? 6 : 4);
  const text = to === "default" ? everything(family) : parsePrefix(to)?.text;
  if (text === undefined) return undefined;
  const table = values.get("table");
  const metric = values.get("metric");
  return {
    family,
    to: text,
    via,
    interfaceName,
    table: table === undefined ? mainTable : (tables.get(table) ?? Number(table)),
    metric: metric === undefined ? undefined : Number(metric),
    source: values.get("src"),
  };
}

/** The metric of a route that says none. */
const metricOf = ({ family, metric }: FoundRoute) => metric ?? (family === 4 ? 0 : 1024);

/** The kernel tells two such routes apart by nothing else. */
export const samePlace = (a: FoundRoute, b: FoundRoute): boolean =>
  a.to === b.to && a.table === b.table && metricOf(a) === metricOf(b);

export const sameRoute = (a: FoundRoute, b: FoundRoute): boolean =>
  samePlace(a, b) && a.via === b.via && a.interfaceName === b.interfaceName && a.source === b.source;
