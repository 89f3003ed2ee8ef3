/**
 * `virtual_routes` and `virtual_rules` as the routes and rules of our backend iproute2. A line that says more than those
 * options can is dropped as a whole: half a route is worse than none.
 */

import { isIP } from "node:net";
import { Address4, Address6 } from "ip-address";
import type { Draft } from "../draft.js";
import { isInterfaceName } from "../draft.js";
import { canonical } from "../ha-addresses.js";
import type { Say } from "./reporting.js";
import type { Statement } from "./statements.js";

const mostOfEach = 64;

/** A network without host bits, or an address; undefined when it is none. */
function network(text: string): { readonly text: string; readonly family: 4 | 6 } | undefined {
  const [address = "", length, more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || address.includes("%") || more !== undefined) return undefined;
  const most = family === 4 ? 32 : 128;
  if (length !== undefined && (!/^\d{1,3}$/.test(length) || Number(length) > most)) return undefined;
  const ip =
    family === 4
      ? new Address4(`${address}/${length ?? most}`)
      : new Address6(`${address}/${length ?? most}`);
  if (ip.startAddress().correctForm() !== ip.correctForm()) return undefined;
  return {
    text: length === undefined ? ip.correctForm() : `${ip.correctForm()}/${length}`,
    family: family === 4 ? 4 : 6,
  };
}

function tableOf(text: string): number | "main" | undefined {
  if (text === "main" || text === "254") return "main";
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number !== 255 ? number : undefined;
}

function numberOf(text: string, most: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= most ? number : undefined;
}

type Route = Record<string, unknown>;

/** The text is the word that cannot be written with our options. */
function routeOf(words: readonly string[]): Route | string {
  const route: Route = {};
  const families = new Set<number>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const takesValue = [
      "to",
      "via",
      "gw",
      "dev",
      "oif",
      "src",
      "from",
      "table",
      "metric",
      "priority",
      "preference",
    ].includes(word);
    if (takesValue) index += 1;
    const value = takesValue ? (words[index] ?? "") : word;
    if (word === "onlink") route.onlink = true;
    else if (word === "to" || !takesValue) {
      const found = network(value);
      if (route.to !== undefined || (found === undefined && value !== "default")) return value;
      route.to = value === "default" ? "default" : found?.text;
      if (found !== undefined) families.add(found.family);
    } else if (word === "via" || word === "gw" || word === "src") {
      if (isIP(value) === 0 || value.includes("%")) return `${word} ${value}`;
      families.add(isIP(value));
      route[word === "src" ? "source" : "via"] = canonical(value);
    } else if (word === "dev" || word === "oif") {
      if (!isInterfaceName(value) || /["';]/.test(value)) return `${word} ${value}`;
      route.interface = value;
    } else if (word === "table") {
      const table = tableOf(value);
      if (table === undefined) return `table ${value}`;
      route.table = table;
    } else if (word !== "from") {
      const metric = numberOf(value, 999_999_999);
      if (metric === undefined) return `${word} ${value}`;
      route.metric = metric;
    } else return `from ${value}`;
  }
  if (route.to === undefined) return "no destination";
  if (families.size === 0) return "default without via";
  if (families.size > 1) return "IPv4 together with IPv6";
  return route.onlink === true && route.via === undefined ? "onlink without via" : route;
}

function ruleOf(words: readonly string[]): Route | string {
  const rule: Route = {};
  const families = new Set<number>();
  for (let index = 0; index < words.length; index += 2) {
    const word = words[index] ?? "";
    const value = words[index + 1] ?? "";
    if (word === "from" || word === "to") {
      const found = network(value);
      if (found === undefined) return `${word} ${value}`;
      rule[word] = found.text;
      families.add(found.family);
    } else if (word === "table" || word === "lookup") {
      const table = tableOf(value);
      if (table === undefined) return `table ${value}`;
      rule.table = table;
    } else if (["priority", "preference", "pref", "order"].includes(word)) {
      const priority = numberOf(value, 32_765);
      if (priority === undefined) return `${word} ${value}`;
      rule.priority = priority;
    } else return `${word} ${value}`.trim();
  }
  if (rule.table === undefined) return "no table";
  if (families.size === 0) return "neither from nor to";
  return families.size > 1 ? "IPv4 together with IPv6" : rule;
}

export function translateRouting(draft: Draft, say: Say, block: Statement): void {
  const isRoute = block.words[0] === "virtual_routes";
  const list = isRoute ? draft.routes : draft.rules;
  say(
    block,
    "taken",
    `${isRoute ? "routes" : "rules"} of the address backend iproute2, there while the node has the HA addresses`,
  );
  for (const statement of block.children ?? []) {
    const made = isRoute ? routeOf(statement.words) : ruleOf(statement.words);
    const sameRoute = (other: Route) =>
      typeof made !== "string" &&
      JSON.stringify([other.to, other.table, other.metric]) ===
        JSON.stringify([made.to, made.table, made.metric]);
    if (typeof made === "string")
      say(statement, "dropped", `the options of iproute2 have no word for: ${made}`);
    else if (list.length >= mostOfEach) say(statement, "dropped", `there are ${mostOfEach} of them already`);
    else if (isRoute && list.some(sameRoute))
      say(statement, "dropped", "it has the network, table and metric of a route before it");
    else {
      list.push(made);
      say(
        statement,
        "taken",
        isRoute ? "a route that moves with the HA addresses" : "a rule that moves with the HA addresses",
      );
    }
  }
}
