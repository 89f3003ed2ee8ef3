/** A folder for one test, with what a test service leaves in it: its process id, a mark that it is active, a diary. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Scratch {
  readonly folder: string;
  readonly pidFile: string;
  readonly mark: string;
  readonly diary: string;
  pid(): number | undefined;
  /** The process in the pid file lives. */
  alive(): boolean;
  active(): boolean;
  lines(): readonly string[];
  kill(): void;
  remove(): void;
}

export function scratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "understudy-service-"));
  const at = (name: string) => join(folder, name);
  const read = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : "");
  const pid = () => Number(read(at("pid"))) || undefined;
  return {
    folder,
    pidFile: at("pid"),
    mark: at("active"),
    diary: at("diary"),
    pid,
    alive: () => isAlive(pid()),
    active: () => existsSync(at("active")),
    lines: () => read(at("diary")).split("\n").filter(Boolean),
    kill() {
      const found = pid();
      if (isAlive(found) && found !== undefined) process.kill(found, "SIGKILL");
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A zombie that nobody has waited for yet is dead. */
export function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
