/** What can be wrong with a plugin: every misuse of the contract has its own code, for whoever writes one. */

import { errorsOf } from "./error.js";

export const pluginErrors = {
  PLUGIN_NOT_FOUND: {
    meaning:
      "The config names a plugin that is not installed; this process does not start, or goes on without it (PLUGINS.md).",
    todo: "Correct the name, or install the package beside the config file or under /etc/understudy/plugins.",
  },
  PLUGIN_BROKEN_IMPORT: {
    meaning:
      "The plugin was found, but its code could not be loaded; this process does not start, or goes on without it (PLUGINS.md).",
    todo: "Read the error above; reinstall the plugin with its dependencies, or report it to its author.",
  },
  PLUGIN_IMPORT_DEADLINE: {
    meaning:
      "The plugin's code waits for something while it is loaded, or never ends to run, so it cannot be used.",
    todo: "Move whatever it waits for into start(): a module must load at once, without waiting for the world.",
  },
  PLUGIN_NO_DEFAULT_EXPORT: {
    meaning: "The module exports nothing by default, so there is no plugin in it.",
    todo: "Write `export default definePlugin({…})` in the plugin's main file, or name the right package.",
  },
  PLUGIN_NOT_A_PLUGIN: {
    meaning: "What the module exports by default was not made by definePlugin, so it cannot be run.",
    todo: "Make it with definePlugin from @understudy/core/public, or name the right package.",
  },
  PLUGIN_UNKNOWN_KIND: {
    meaning: "The plugin says that it is of a kind that there is not, so nothing knows what to do with it.",
    todo: "Correct `kind` in the plugin's definePlugin.",
  },
  PLUGIN_WRONG_KIND: {
    meaning: "The plugin is of another kind than the place in the config needs.",
    todo: "Move the entry to the part of the config for its kind, or name a plugin of the kind wanted.",
  },
  PLUGIN_API_TOO_NEW: {
    meaning: "The plugin was made for a newer Understudy, whose contract this one does not know.",
    todo: "Update Understudy on both nodes, or install an older version of the plugin.",
  },
  PLUGIN_API_TOO_OLD: {
    meaning: "The plugin was made for an older contract and could not be run safely by this Understudy.",
    todo: "Install a newer version of the plugin.",
  },
  PLUGIN_API_WRONG: {
    meaning: "The version of the contract that a plugin was made for is a whole number, and this is none.",
    todo: "Make it with definePlugin, and write a number under `understudy.api` in its package.json.",
  },
  PLUGIN_NAME_WRONG: {
    meaning: "The plugin has no name that could be written in a config.",
    todo: "Correct `name` in the plugin's definePlugin.",
  },
  PLUGIN_NAME_MISMATCH: {
    meaning:
      "The package is called after another plugin than the one in it, which would mislead whoever reads the config.",
    todo: "Give definePlugin the name that the package has after its kind: `udp` in understudy-transport-udp.",
  },
  PLUGIN_WRONG_PROCESS: {
    meaning: "Only transports and addresses may run in pulse, and addresses must.",
    todo: "Correct `runsIn` in the plugin's definePlugin.",
  },
  PLUGIN_EXCLUSIVE_WRONG: {
    meaning:
      "Only the grant of an arbiter can be exclusive, so what this plugin says of itself is a mistake.",
    todo: "Leave `exclusive` out of its definePlugin, or make it an arbiter.",
  },
  PLUGIN_BEAT_INTERVAL_WRONG: {
    meaning: "Only transports say how often their medium carries a beat, and what this one says is no time.",
    todo: "Let `beatIntervalMs` in its definePlugin give milliseconds for every config that its schema accepts.",
  },
  PLUGIN_SCHEMA_MISSING: {
    meaning: "The plugin does not say what options it has, so nothing written for it could be checked.",
    todo: "Give definePlugin a `config` made with `z` from @understudy/core/public.",
  },
  PLUGIN_SCHEMA_NO_MAP: {
    meaning: "Options are written as keys beside the plugin's name, and the schema is for something else.",
    todo: "Make `config` a z.strictObject with one key an option.",
  },
  PLUGIN_SCHEMA_ASYNC: {
    meaning: "Options are checked before anything is started, at once, and this schema would answer later.",
    todo: "Take async refinements and transforms out of the schema; what must be asked of the world belongs into start().",
  },
  PLUGIN_SCHEMA_THREW: {
    meaning: "The plugin's own check of its options broke, so nobody knows whether they are right.",
    todo: "Report it to the plugin's author: refinements and transforms add issues, they do not throw.",
  },
  PLUGIN_SCHEMA_DEFAULT: {
    meaning: "An option left out would have a value that may not be written out.",
    todo: "Correct the default, or what the option accepts.",
  },
  PLUGIN_OPTION_RESERVED: {
    meaning: "What is written under that key is read by the core and never reaches the plugin.",
    todo: "Give the option another name.",
  },
  PLUGIN_CONFIG_WRONG: {
    meaning: "The plugin does not accept its options, so this node does not start.",
    todo: "Mend the places named; `understudy plugins show NAME` prints the options with their units.",
  },
  PLUGIN_NEEDS_WRONG: {
    meaning: "A plugin asks for what it needs by the names in `capabilities`, and this is none of them.",
    todo: "Write `needs: { log: capabilities.log }` and so on, from @understudy/core/public.",
  },
  PLUGIN_NEEDS_UNKNOWN: {
    meaning: "The plugin asks for something that only a newer Understudy can give.",
    todo: "Update Understudy on both nodes, or install an older version of the plugin.",
  },
  PLUGIN_NEEDS_UNAVAILABLE: {
    meaning:
      "The plugin asks for something that this process, its kind, or a config without sessions cannot give it.",
    todo: "See PLUGINS.md for which kinds can have what; name a session store if it needs one.",
  },
  PLUGIN_CREATE_FAILED: {
    meaning: "The plugin failed while it was made, before it did anything.",
    todo: "Report it to the plugin's author: create() may do no I/O and must not throw.",
  },
  PLUGIN_CREATE_ASYNC: {
    meaning: "A plugin is made at once, before anything is started; a promise of one cannot be used.",
    todo: "Make create() a plain function, and do what must be waited for in start().",
  },
  PLUGIN_CREATE_NOTHING: {
    meaning: "The plugin's create() gave nothing that could be started.",
    todo: "Let create() return an object with the methods of its kind.",
  },
  PLUGIN_METHOD_MISSING: {
    meaning: "Methods that the core calls are not there.",
    todo: "Add them: core/src/plugin/contract.ts says what each must do.",
  },
  PLUGIN_METHOD_WRONG: {
    meaning: "Where the core calls a method there is something else.",
    todo: "Make them functions, or leave out those that are optional.",
  },
  PLUGIN_METHOD_ARGUMENTS: {
    meaning: "These methods expect arguments that they never get.",
    todo: "Take them from `config` or `needs` in create(), or give them defaults.",
  },
  PLUGIN_SYNC_PROMISE: {
    meaning: "A method that must be done when it returns gave a promise; nothing waits for that.",
    todo: "Report it to the plugin's author: it may do its work later, but must handle its failure itself.",
  },
  PLUGIN_ANSWER_WRONG: {
    meaning:
      "The plugin answered with something that the contract does not know; it is taken as `unknown`, or as failing.",
    todo: "Report it to the plugin's author.",
  },
  PLUGIN_DESCRIBE_WRONG: {
    meaning: "What a plugin says of itself in status is one line of text, and this one gave something else.",
    todo: "Report it to the plugin's author.",
  },
  PLUGIN_CALLBACK_LATE: {
    meaning: "The plugin reported something after its stop() had settled; that was ignored.",
    todo: "Report it to the plugin's author: nothing of it may be left behind by stop().",
  },
  PLUGIN_FRAME_WRONG: {
    meaning: "A transport delivered something that is no frame of 1 to 512 bytes; that was ignored.",
    todo: "Report it to the plugin's author: frames arrive as Uint8Array, each as it was sent.",
  },
  PLUGIN_START_FAILED: {
    meaning:
      "The plugin could not start; an address keeps pulse from starting, a service is tried again, the others are missed.",
    todo: "Do what the plugin's own error says, then start again.",
  },
  PLUGIN_START_DEADLINE: {
    meaning: "The plugin did not finish its start in time; what follows is as with PLUGIN_START_FAILED.",
    todo: "Find out what it waits for; a plugin must not wait in start() for what may not come.",
  },
  PLUGIN_STOP_FAILED: {
    meaning: "The plugin failed to stop; everything else was stopped all the same.",
    todo: "Look for what it may have left behind, and report it to the plugin's author.",
  },
  PLUGIN_STOP_DEADLINE: {
    meaning: "The plugin did not stop in time; everything else was stopped all the same.",
    todo: "Look for what it may have left behind, and report it to the plugin's author.",
  },
  PLUGIN_BLOCKS: {
    meaning:
      "Calls that must return within a millisecond held the thread of the whole process. The alarm stands until the plugin was quiet for ten minutes; a transport in pulse is taken out of service for a while, unless no other path works.",
    todo: "Report it to the plugin's author: it must not wait or compute in these calls; a transport that cannot help it must run in node. Until then use another plugin in its place if there is one.",
  },
  PLUGIN_MISBEHAVES: {
    meaning:
      "The plugin broke its contract while it ran; what it did was dropped, and nothing else was touched.",
    todo: "Report it to the plugin's author, with the sentence of the timeline or the log.",
  },
  NODE_STALLED: {
    meaning:
      "The node process did nothing for a while; pulse and its heartbeats were not held up, but sessions and services were.",
    todo: "Find what was named; where nothing is, look for a busy processor or a slow disk with `understudy doctor`.",
  },
  PLUGIN_NO_SUITE: {
    meaning: "The package does not say how the suite of its kind gets instances, so nothing could be tested.",
    todo: "Name a module under `understudy.conformance` in its package.json that exports `plugin` and `conformance`.",
  },
  PLUGIN_LEAVES_RUNNING: {
    meaning:
      "A plugin, or the module with its conformance, keeps a timer, a socket or a child after `stop` and `dispose`, or a promise of it never settled.",
    todo: "End in `stop` all that was begun, also what is only being opened; the first test that failed may say which.",
  },
  PLUGINS_WRONG: {
    meaning: "Several things are wrong with the plugins that the config names.",
    todo: "Mend each of the places named, then run `understudy check`.",
  },
} as const;

export const pluginError = errorsOf(pluginErrors);
