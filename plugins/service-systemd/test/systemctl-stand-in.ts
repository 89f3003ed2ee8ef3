/**
 * A stand-in for `systemctl`, because no systemd runs where the tests do: a shell script that keeps each unit's state in a
 * file. Each of its behaviours says where systemctl(1) or systemd.service(5) has it.
 */

import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a unit does, read at each command from NAME.rules; all may be absent. */
export interface UnitRules {
  /** Seconds in "activating" before it is active. */
  readonly startSeconds?: number;
  /** Seconds in "deactivating". */
  readonly stopSeconds?: number;
  readonly startFails?: boolean;
  readonly reloadFails?: boolean;
  /** After its start it stays in "activating", as a unit between two automatic restarts does. */
  readonly staysActivating?: boolean;
}

export interface StandIn {
  readonly program: string;
  /** Makes the unit known, "inactive". */
  addUnit(name: string, rules?: UnitRules): void;
  setRules(name: string, rules: UnitRules): void;
  state(name: string): string;
  setState(name: string, state: string): void;
  /** The verbs that were run, "start x.service". */
  calls(): readonly string[];
  remove(): void;
}

const script = `#!/bin/sh
# It starts as little as it can: on a busy machine each program takes long, and systemctl itself starts none.
folder=\${0%/*}
verb=; unit=
for word in "$@"; do
  case $word in
    -*) ;;
    *) if [ -z "$verb" ]; then verb=$word; else unit=$word; fi ;;
  esac
done
echo "$verb $unit" >> "$folder/calls"
state=$folder/$unit.state
startSeconds=0 stopSeconds=0 startFails= reloadFails= staysActivating=
[ -e "$folder/$unit.rules" ] && . "$folder/$unit.rules"
put() { echo "$1" > "$state.$$"; mv "$state.$$" "$state"; }
now=
look() { now=; [ -e "$state" ] && read -r now < "$state"; }
case $verb in
  show)
    # systemctl(1), show: prints properties as NAME=VALUE; exit status 0 for unknown units too, with LoadState=not-found.
    if [ -e "$state" ]; then
      look
      echo LoadState=loaded; echo "ActiveState=$now"; echo SubState=stand-in
      [ "$now" = failed ] && echo Result=exit-code || echo Result=success
    else
      echo LoadState=not-found; echo ActiveState=inactive; echo SubState=dead; echo Result=success
    fi ;;
  start)
    # systemctl(1), EXIT STATUS: 5, "program is not installed", for a unit that is not there.
    [ -e "$state" ] || { echo "Failed to start $unit: Unit $unit not found." >&2; exit 5; }
    # Starting what is active does nothing and succeeds.
    look
    [ "$now" = active ] && exit 0
    put activating
    # systemctl(1), --no-block: without it, systemctl waits until the unit's start-up is completed.
    [ "$startSeconds" = 0 ] || sleep $startSeconds
    # The job may have been replaced by a stop meanwhile (--job-mode=replace).
    look
    [ "$now" = activating ] || { echo "Job for $unit canceled." >&2; exit 1; }
    if [ "$startFails" ]; then
      put failed
      echo "Job for $unit failed because the control process exited with error code." >&2; exit 1
    fi
    [ "$staysActivating" ] || put active ;;
  stop)
    [ -e "$state" ] || { echo "Failed to stop $unit: Unit $unit not loaded." >&2; exit 5; }
    look
    case $now in inactive|failed) exit 0 ;; esac
    put deactivating
    [ "$stopSeconds" = 0 ] || sleep $stopSeconds
    put inactive ;;
  reload)
    # systemctl(1), reload: fails for a unit that is not active.
    look
    [ "$now" = active ] || { echo "$unit is not active, cannot reload." >&2; exit 1; }
    [ "$reloadFails" ] && { echo "Job for $unit failed." >&2; exit 1; }
    exit 0 ;;
  *) echo "the stand-in does not know $verb" >&2; exit 1 ;;
esac
`;

export function standIn(): StandIn {
  const folder = mkdtempSync(join(tmpdir(), "understudy-systemctl-"));
  const program = join(folder, "systemctl");
  writeFileSync(program, script, { mode: 0o755 });
  const stateFile = (name: string) => join(folder, `${name}.state`);
  const setRules = (name: string, rules: UnitRules) => {
    const lines = Object.entries(rules).map(
      ([key, value]) => `${key}=${value === false ? "" : String(value)}`,
    );
    writeFileSync(join(folder, `${name}.rules`), `${lines.join("\n")}\n`);
  };
  return {
    program,
    addUnit(name, rules = {}) {
      writeFileSync(stateFile(name), "inactive\n");
      setRules(name, rules);
    },
    setRules,
    state: (name) => readFileSync(stateFile(name), "utf8").trim(),
    // In one step, as the script does it: who asks meanwhile sees the old one or the new one.
    setState(name, state) {
      writeFileSync(`${stateFile(name)}.new`, `${state}\n`);
      renameSync(`${stateFile(name)}.new`, stateFile(name));
    },
    calls() {
      const file = join(folder, "calls");
      return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
