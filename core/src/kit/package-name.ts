/** The names a new plugin gets: what a person typed becomes a package name that npm takes and a name for the config. */

import type { PluginKind } from "../plugin/contract.js";
import { isKind, pluginKinds } from "../plugin/kinds.js";

export interface NewNames {
  readonly kind: PluginKind;
  /** "@acme/understudy-transport-pigeon" */
  readonly packageName: string;
  /** "pigeon": what definePlugin is given. */
  readonly name: string;
  /** "understudy-transport-pigeon": the folder that is made. */
  readonly folder: string;
}

export type NamesOrWhy = NewNames | { readonly why: string };

const word = /^[a-z0-9][a-z0-9-]*$/;
const longestPackageName = 214;

/** `name`: "pigeon", "@acme/pigeon", "understudy-transport-pigeon" or "@acme/understudy-transport-pigeon". */
export function newNames(kind: string, name: string): NamesOrWhy {
  if (!isKind(kind)) return { why: `there is no kind ${kind}; the kinds are ${pluginKinds.join(", ")}` };
  const [, scope, typed = ""] = /^(?:(@[^/]*)\/)?(.*)$/.exec(name) ?? [];
  if (scope !== undefined && !word.test(scope.slice(1))) {
    return { why: `${scope} is no scope of npm: lower-case letters, digits and hyphens after the @` };
  }
  const bare = typed.replace(/^understudy-/, "").replace(new RegExp(`^${kind}-`), "");
  if (!word.test(bare)) {
    return {
      why: `${JSON.stringify(name)} is no name: lower-case letters, digits and hyphens, as npm has them`,
    };
  }
  const folder = `understudy-${kind}-${bare}`;
  const packageName = scope === undefined ? folder : `${scope}/${folder}`;
  if (packageName.length > longestPackageName) {
    return {
      why: `${packageName.slice(0, 40)}… has more than ${longestPackageName} characters, the most npm takes`,
    };
  }
  return { kind, packageName, name: bare, folder };
}
