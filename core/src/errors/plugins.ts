/** What can be wrong with a plugin: every misuse of the contract has its own code, for whoever writes one. */

import { errorsOf } from "./error.js";

export const pluginErrors = {
  PLUGIN_NOT_FOUND: {
    meaning: "The config names a plugin that is not installed, so this node does not start.",
    todo: "Correct the name, or install the package beside the config file or under /etc/understudy/plugins.",
  },
  PLUGIN_BROKEN_IMPORT: {
    meaning: "The plugin was found, but its code could not be loaded, so this node does not start.",
    todo: "Read the error above; reinstall the plugin with its dependencies, or report it to its author.",
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
  PLUGIN_WRONG_PROCESS: {
    meaning: "Only transports and addresses may run in pulse, and addresses must.",
    todo: "Correct `runsIn` in the plugin's definePlugin.",
  },
  PLUGIN_CONFIG_WRONG: {
    meaning: "The plugin does not accept its options, so this node does not start.",
    todo: "Mend the places named; `understudy plugins show NAME` prints the options with their units.",
  },
  PLUGIN_NEEDS_UNKNOWN: {
    meaning: "The plugin asks for something that this process, or a config without sessions, cannot give it.",
    todo: "See `capabilities` in @understudy/core/public for what there is; name a session store if it needs one.",
  },
  PLUGIN_CREATE_FAILED: {
    meaning: "The plugin failed while it was made, before it did anything, so this node does not start.",
    todo: "Report it to the plugin's author: create() may do no I/O and must not throw.",
  },
  PLUGIN_START_FAILED: {
    meaning: "The plugin could not start, so this node does not start; what had started was stopped again.",
    todo: "Do what the plugin's own error says, then start again.",
  },
  PLUGIN_START_DEADLINE: {
    meaning: "The plugin did not finish its start in time, so this node does not start.",
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
  PLUGIN_NO_SUITE: {
    meaning: "The package does not say how the suite of its kind gets instances, so nothing could be tested.",
    todo: "Name a module under `understudy.conformance` in its package.json that exports `plugin` and `conformance`.",
  },
  PLUGINS_WRONG: {
    meaning: "Several plugins cannot be used as the config says, so this node does not start.",
    todo: "Mend each of the places named, then run `understudy check`.",
  },
} as const;

export const pluginError = errorsOf(pluginErrors);
