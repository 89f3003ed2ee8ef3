/**
 * `understudy key`: shows which keys there are, never their secrets, and takes the pair from one shared key to another
 * step by step, without an outage (rule R29).
 */

import type { Command } from "commander";
import type { LocalConfig } from "../config/config.js";
import { loadConfig } from "../config/load.js";
import { type KeyRing, newKey, readKeyFile, writeKeyFile } from "../keys/key-file.js";
import { type KeysInUse, nextStep } from "../keys/rotation.js";
import { type Ask, askerOf } from "./ask-node.js";
import { examples, globalOptions, print, printJson } from "./command.js";

export function define(command: Command): void {
  command.description("The shared key by which the two nodes recognise each other.");
  command
    .command("show")
    .description("list the keys of the key file by number and age; secrets are never shown")
    .option("--json", "print as JSON")
    .action(async (options: { json?: boolean }) => {
      const { config } = await loadConfig(globalOptions(command).config, globalOptions(command));
      show(config.keyFile, readKeyFile(config.keyFile), options.json === true);
    });
  command
    .command("rotate")
    .description(
      "Replaces the shared key without an outage, one safe step after another. Each run takes every step that is safe " +
        "now and says what it waits for:\n" +
        "  1. on one node: a new key is added to the file; it is accepted, and signs nothing yet\n" +
        "  2. you copy the key file to the other node, and run the command there\n" +
        "  3. each node signs with the new key once the other accepts it\n" +
        "  4. each node removes the old key once the other has signed with the new one\n" +
        "Run it in turn on both nodes until both say that it is done: four runs and one copy.",
    )
    .addHelpText(
      "after",
      examples(
        ["a# understudy key rotate", "adds the key, says what to copy"],
        ["a# scp -p /etc/understudy/key root@b:/etc/understudy/key", ""],
        ["b# understudy key rotate", "b signs with the new key"],
        ["a# understudy key rotate", "a signs with it, and removes the old one"],
        ["b# understudy key rotate", "b removes the old one: done"],
      ),
    )
    .action(async () => rotate(await loadConfig(globalOptions(command).config, globalOptions(command))));
}

function show(file: string, ring: KeyRing, json: boolean): void {
  const keys = ring.keys.map(({ id, created }) => ({ id, created, signs: id === ring.signWith }));
  if (json) printJson({ file, keys });
  else
    for (const { id, created, signs } of keys) print(`key ${id}  made ${created}${signs ? "  signs" : ""}`);
}

async function rotate(local: LocalConfig): Promise<void> {
  const { keyFile } = local.config;
  const ask = askerOf(local);
  // The file may just have been copied here.
  await ask("keysChanged", {});
  for (;;) {
    const ring = readKeyFile(keyFile);
    const step = nextStep(ring, await keysInUse(ask), newKey);
    if (step.kind === "waits") {
      print(`waiting: ${step.why}\n  ${step.todo}`);
      return;
    }
    writeKeyFile(keyFile, step.ring);
    await ask("keysChanged", {});
    if (step.kind === "added") {
      const [to] = local.peer.addresses;
      print(`added key ${step.id} to ${keyFile}: it is accepted here, and signs nothing yet`);
      print(`  Copy the file to the other node, and run the same command there:`);
      print(`    scp -p ${keyFile} root@${to}:${keyFile}`);
      print(`    ssh root@${to} understudy key rotate`);
      return;
    }
    if (step.kind === "signs") print(`this node signs with key ${step.id} from now on`);
    if (step.kind === "retired") {
      print(`removed the old key ${step.ids.join(", ")}: this node is done`);
      print("  Run `understudy key rotate` once more on the other node, if it has not said the same.");
      return;
    }
  }
}

async function keysInUse(ask: Ask): Promise<KeysInUse> {
  const [{ peer, peerSigns }, { pulse }] = [await ask("keyStatus", {}), await ask("status", {})];
  return { peerAccepts: peer, peerSigns, peerHasSigned: pulse?.peerKeys };
}
