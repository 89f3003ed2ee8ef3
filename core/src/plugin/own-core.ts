/**
 * Lets a plugin from anywhere import `@understudy/core/…`: where its own folders hold no copy, it gets the one of the
 * Understudy that runs it. So a plugin needs no registry and no second core, and what it throws is known here.
 */

import { registerHooks } from "node:module";

let registered = false;

/** For this thread; again is harmless. Must come before the first plugin is imported. */
export function lendCore(): void {
  if (registered) return;
  registered = true;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (!specifier.startsWith("@understudy/core/")) return nextResolve(specifier, context);
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        // Only where there is no copy: one that lacks the file asked for is the plugin's own affair.
        if (!/^(ERR_)?MODULE_NOT_FOUND$/.test(String((error as NodeJS.ErrnoException).code))) throw error;
        return nextResolve(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}
