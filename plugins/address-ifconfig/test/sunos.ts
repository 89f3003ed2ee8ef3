/**
 * Loaded before a process of the pair (`node --import`): it calls itself a SunOS and cannot load the native addon, as on
 * a machine for which there is none. Whoever asks for the addon is told on standard error, so that a test can see it.
 */

import { writeSync } from "node:fs";
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    if (specifier !== "koffi") return next(specifier, context);
    writeSync(2, "the native addon was asked for\n");
    throw Object.assign(new Error("there is no koffi for this system"), { code: "ERR_MODULE_NOT_FOUND" });
  },
});
Object.defineProperty(process, "platform", { value: "sunos" });
