/**
 * A Solaris machine of files, on which the stand-in `ifconfig` works: its interfaces, what is on them now, and what else
 * a test can arrange. Read and written past the plugin.
 */

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const standIn = join(import.meta.dirname, "../../test/stand-in/ifconfig");

export interface InterfaceSetup {
  readonly name: string;
  /** With prefix length. */
  readonly address: string;
  readonly flags?: string;
  readonly group?: string;
  readonly zone?: string;
}

export interface Machine {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  addInterface(setup: InterfaceSetup): void;
  /** Runs the stand-in as a stranger would. */
  ifconfig(...args: readonly string[]): string;
  /** Of these addresses, those on the machine now, up or not. */
  present(addresses: readonly string[]): readonly string[];
  /** "net0:1", or undefined. */
  interfaceOf(address: string): string | undefined;
  flagsOf(address: string): readonly string[];
  setFlags(interfaceName: string, flags: string): void;
  /** Something that the stand-in looks for: see its head. */
  arrange(what: "hang" | "denied" | "refuse-up" | "others", text?: string): void;
  undo(what: "hang" | "denied" | "refuse-up" | "others"): void;
  /** Takes an interface away from one family, and puts it back. */
  unplumb(family: 4 | 6, name: string): () => void;
  /** Command lines so far. */
  log(): readonly string[];
  remove(): void;
}

const familyFolder = (address: string) => (address.includes(":") ? "inet6" : "inet");

export function makeMachine(interfaces: readonly InterfaceSetup[]): Machine {
  const folder = mkdtempSync(join(tmpdir(), "understudy-ifconfig-"));
  for (const family of ["inet", "inet6"]) mkdirSync(join(folder, family));
  const addInterface = ({ name, address, flags, group, zone }: InterfaceSetup): void => {
    const [text = "", prefix = ""] = address.split("/");
    const family = familyFolder(text);
    const entry = join(folder, family, name);
    mkdirSync(entry);
    const usual = family === "inet" ? "UP,BROADCAST,RUNNING,MULTICAST,IPv4" : "UP,RUNNING,MULTICAST,IPv6";
    const values = { address: text, prefix, flags: flags ?? usual, group, zone };
    for (const [file, value] of Object.entries(values))
      if (value !== undefined) writeFileSync(join(entry, file), value);
  };
  for (const one of interfaces) addInterface(one);
  const env = { ...process.env, UNDERSTUDY_IFCONFIG_STATE: folder };
  const entries = () =>
    ["inet", "inet6"].flatMap((family) =>
      readdirSync(join(folder, family)).map((name) => ({ name, path: join(folder, family, name) })),
    );
  const entryOf = (address: string) => entries().find(({ path }) => read(join(path, "address")) === address);
  return {
    folder,
    env,
    addInterface,
    ifconfig: (...args) => execFileSync(standIn, args, { env, encoding: "utf8" }),
    present: (addresses) => addresses.filter((address) => entryOf(address) !== undefined),
    interfaceOf: (address) => entryOf(address)?.name,
    flagsOf: (address) => read(join(entryOf(address)?.path ?? "/nonexistent", "flags"))?.split(",") ?? [],
    setFlags: (name, flags) => writeFileSync(join(folder, "inet", name, "flags"), flags),
    arrange: (what, text = "") => writeFileSync(join(folder, what), text),
    undo: (what) => rmSync(join(folder, what), { force: true }),
    unplumb(family, name) {
      const at = join(folder, family === 4 ? "inet" : "inet6", name);
      const aside = join(folder, `aside-${family}`);
      renameSync(at, aside);
      return () => renameSync(aside, at);
    },
    log: () => (read(join(folder, "log")) ?? "").split("\n").filter((line) => line !== ""),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function read(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, "utf8") : undefined;
  } catch (error) {
    // Removed between the look and the reading.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
