/** keepalived's scripts as ours: those that are tracked become the health of a service, those that are told become hooks. */

import { addHook, addService, type Draft } from "../draft.js";
import { commandLine, needsShell } from "../shell.js";
import type { Say } from "./reporting.js";
import type { Statement } from "./statements.js";
import { scriptWords } from "./words.js";

/** As an option of our plugins; undefined when there is nothing to run. */
export function commandOf(script: string): readonly string[] | { readonly shell: string } | undefined {
  const words = scriptWords(script);
  if (words.length === 0 || /\p{Cc}/u.test(script)) return undefined;
  return needsShell(script.replaceAll("'", "")) ? { shell: script } : words;
}

const about = new Map([
  ["interval", "health is asked every second"],
  ["timeout", "an answer has 0.9 s: a slower script counts as failed"],
  ["fall", "after three failures the service counts as broken"],
  ["rise", "it counts as well again with its first success"],
  ["user", "it runs as the user of the node process"],
  ["init_fail", "until its first success a service counts as starting"],
]);

/** `vrrp_script NAME { … }`: taken over when something tracks it. */
export function translateScript(
  draft: Draft,
  say: Say,
  block: Statement,
  tracked: ReadonlySet<string>,
): void {
  const name = block.words[1] ?? "";
  const script = block.children?.find(({ words }) => words[0] === "script")?.words[1] ?? "";
  const command = commandOf(script);
  const why = !tracked.has(name)
    ? "nothing tracks it"
    : command === undefined
      ? "it names nothing to run"
      : undefined;
  const problem =
    why ??
    addService(draft, {
      plugin: "exec",
      mode: "warm",
      start: ["true"],
      stop: ["true"],
      health: command,
      healthTimeoutMs: 900,
    });
  const fate = problem === undefined ? "changed" : "dropped";
  say(
    block,
    fate,
    problem ??
      "the health of a service on both nodes: when it fails here, a node where it does not takes over (rule R27)",
  );
  for (const child of block.children ?? []) {
    const [word = ""] = child.words;
    if (problem !== undefined) say(child, "dropped", problem);
    else if (word === "script") say(child, "taken", "`health` of the service");
    else if (word === "weight")
      say(child, "changed", "there are no priorities: a script that fails makes the node unhealthy");
    else
      say(
        child,
        about.has(word) ? "changed" : "dropped",
        about.get(word) ?? "keepalived knows no such word here",
      );
  }
}

const roles: ReadonlyMap<string, string> = new Map([
  ["notify_master", "active"],
  ["notify_backup", "standby"],
  ["notify_fault", "failed"],
]);

/** notify_master and the like, of an instance or a group. */
export function translateNotify(
  draft: Draft,
  say: Say,
  statement: Statement,
  of: "INSTANCE" | "GROUP",
  name: string,
): void {
  const [word = "", script = "", ...user] = statement.words;
  const command = commandOf(script);
  if (command === undefined) {
    say(statement, "dropped", "it names nothing to run");
    return;
  }
  const line = "shell" in command ? command.shell : commandLine(command);
  const as = user.length === 0 ? "" : `, as the user of the node process instead of ${user.join(":")}`;
  const role = roles.get(word);
  if (role !== undefined) {
    const problem = addHook(draft, { shell: `test "$UNDERSTUDY_TO" != ${role} || ${line}` }, ["role"]);
    const note = `a hook of the observer exec for the role ${role}${as}; nothing waits for it`;
    say(statement, problem === undefined ? "changed" : "dropped", problem ?? note);
    return;
  }
  if (word !== "notify") {
    const note =
      "only changes of role are told, and they are told after they are done: see the observer exec";
    say(statement, "dropped", note);
    return;
  }
  const states =
    'case "$UNDERSTUDY_TO" in active) s=MASTER ;; standby) s=BACKUP ;; failed) s=FAULT ;; *) exit 0 ;; esac';
  const shell = `${states}; ${line} ${commandLine([of, name])} "$s" 100`;
  const problem = addHook(draft, { shell }, ["role"]);
  const note = `a hook of the observer exec with keepalived's four arguments, the priority always 100${as}; nothing waits for it`;
  say(statement, problem === undefined ? "changed" : "dropped", problem ?? note);
}
