/**
 * The config that an importer puts together, and its text. Names and addresses that ours could not accept are refused
 * here with a reason, so that the loader has nothing to say to the finished file.
 */

import { stringify } from "yaml";
import { parseHostAddress } from "../config/ip-text.js";
import { parseConfig } from "../config/parse.js";

export interface HaDraft {
  readonly address: string;
  readonly prefixLength: number;
  readonly interfaceName: string | undefined;
}

export interface Draft {
  cluster: string;
  /** The primary first. */
  nodes: readonly (readonly [name: string, addresses: readonly string[]])[];
  haAddresses: HaDraft[];
  paths: Record<string, unknown>[];
  deadMs: number | undefined;
  aloneAfterMs: number | undefined;
  failback: "auto" | "manual" | { readonly hold: string } | undefined;
  /** Of the address backend iproute2. */
  routes: Record<string, unknown>[];
  rules: Record<string, unknown>[];
  preferredSource: string | undefined;
  services: Record<string, unknown>[];
  arbiters: Record<string, unknown>[];
  /** Commands that are told of changes, run by one observer of the plugin exec. */
  hooks: { readonly command: unknown; readonly kinds: readonly string[] }[];
  /** Keys of the file that only one importer sets. */
  further: Record<string, unknown>;
}

export function emptyDraft(): Draft {
  return {
    cluster: "understudy",
    nodes: [],
    haAddresses: [],
    paths: [],
    deadMs: undefined,
    aloneAfterMs: undefined,
    failback: undefined,
    routes: [],
    rules: [],
    preferredSource: undefined,
    services: [],
    arbiters: [],
    hooks: [],
    further: {},
  };
}

export const mostHaAddresses = 32;
export const mostPaths = 16;
const mostServices = 64;

/** A name that ours accepts, as near to `name` as can be. */
export function nodeName(name: string): string {
  const plain = name
    .replaceAll(/[^a-zA-Z0-9.-]+/g, "-")
    .replaceAll(/^[.-]+|[.-]+$/g, "")
    .slice(0, 57)
    .replace(/[.-]+$/, "");
  if (plain === "") return "node";
  return /[a-zA-Z]/.test(plain) ? plain : `node-${plain}`;
}

export function clusterName(name: string): string | undefined {
  return /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}$/.test(name) ? name : undefined;
}

export function isInterfaceName(name: string): boolean {
  return /^[^\s/:%]{1,15}$/.test(name);
}

/** "255.255.255.0" -> 24; undefined when it is no netmask. */
export function prefixOfMask(mask: string): number | undefined {
  const bytes = mask.split(".");
  if (bytes.length !== 4 || !bytes.every((byte) => /^\d{1,3}$/.test(byte) && Number(byte) <= 255))
    return undefined;
  const bits = bytes.map((byte) => Number(byte).toString(2).padStart(8, "0")).join("");
  return /^1+0*$/.test(bits) ? (bits.indexOf("0") === -1 ? 32 : bits.indexOf("0")) : undefined;
}

/** Adds an HA address; the text is why it was not. */
export function addHaAddress(draft: Draft, wanted: HaDraft): string | undefined {
  const parsed = parseHostAddress(`${wanted.address}/${wanted.prefixLength}`);
  if ("problem" in parsed) return `an HA address ${parsed.problem}`;
  if (draft.haAddresses.some(({ address }) => address === parsed.address))
    return "the address is named twice";
  if (draft.haAddresses.length >= mostHaAddresses)
    return `there can be at most ${mostHaAddresses} HA addresses`;
  draft.haAddresses.push({ ...wanted, address: parsed.address });
  return undefined;
}

export function addService(draft: Draft, service: Record<string, unknown>): string | undefined {
  if (draft.services.length >= mostServices) return `there can be at most ${mostServices} services`;
  draft.services.push(service);
  return undefined;
}

/** All hooks of one entry have 55 s together, see the plugin exec; each should have two. */
const mostHooks = 18;

export function addHook(draft: Draft, command: unknown, kinds: readonly string[]): string | undefined {
  if (draft.hooks.length >= mostHooks) return `there can be at most ${mostHooks} hooks`;
  draft.hooks.push({ command, kinds });
  return undefined;
}

function observersOf({ hooks }: Draft): readonly unknown[] {
  if (hooks.length === 0) return [];
  const timeoutMs = Math.min(10_000, Math.floor(55_000 / hooks.length) - 1000);
  return [{ plugin: "exec", hooks: hooks.map((hook) => ({ ...hook, timeoutMs })) }];
}

/** None where the default does. */
function addressOf({ routes, rules, preferredSource }: Draft): readonly unknown[] {
  const options = {
    ...(routes.length === 0 ? {} : { routes }),
    ...(rules.length === 0 ? {} : { rules }),
    ...(preferredSource === undefined ? {} : { preferredSource }),
  };
  return Object.keys(options).length === 0 ? [] : [{ plugin: "iproute2", ...options }, "garp"];
}

function single<T>(items: readonly T[]): T | readonly T[] {
  return items.length === 1 && items[0] !== undefined ? items[0] : items;
}

function haValue({ address, prefixLength, interfaceName }: HaDraft): unknown {
  const text = `${address}/${prefixLength}`;
  return interfaceName === undefined ? text : { address: text, interface: interfaceName };
}

function heartbeatOf({ paths, deadMs }: Draft): Record<string, unknown> {
  // Ours is between 100 ms and a minute; the ceiling must not be below the floor.
  const dead = deadMs === undefined ? undefined : Math.min(60_000, Math.max(100, Math.round(deadMs)));
  return {
    ...(dead === undefined ? {} : { deadFloor: `${dead}ms`, deadCeiling: `${Math.max(400, dead)}ms` }),
    ...(paths.length > 1 ? { paths } : {}),
  };
}

/** The file's text. Throws CONFIG_WRONG if the loader refuses it, which no input may bring about. */
export function draftText(draft: Draft, origin: string): string {
  const heartbeat = heartbeatOf(draft);
  const list = (key: string, items: readonly unknown[]) => (items.length === 0 ? {} : { [key]: items });
  const value = {
    cluster: draft.cluster,
    nodes: Object.fromEntries(draft.nodes.map(([name, addresses]) => [name, single(addresses)])),
    haAddress: single(draft.haAddresses.map(haValue)),
    ...(Object.keys(heartbeat).length === 0 ? {} : { heartbeat }),
    ...(draft.aloneAfterMs === undefined ? {} : { aloneAfter: `${draft.aloneAfterMs}ms` }),
    ...(draft.failback === undefined ? {} : { failback: draft.failback }),
    ...list("address", addressOf(draft)),
    sessions: "none",
    ...list("services", draft.services),
    ...list("arbiters", draft.arbiters),
    ...list("observers", observersOf(draft)),
    ...draft.further,
  };
  const text = `# Understudy: one file for both nodes, made from ${origin}.
# Read the report of the import beside it. What is not said here has a default: see CONFIG.md.
# Then: understudy check, understudy doctor, and the same file to the other node.

${stringify(value, { lineWidth: 120, aliasDuplicateObjects: false })}`;
  parseConfig(text, "the file made by the import");
  return text;
}
