/**
 * What a broker is shown to let us in: user, password and certificates, read from their files at every connection, so
 * that a renewed certificate or a changed password needs no restart.
 */

import { readFile, stat } from "node:fs/promises";
import type { Log, Side } from "@understudy/core/public";
import type { MqttOptions } from "./options.js";
import { refused, type Trouble } from "./reasons.js";

export interface Credentials {
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** The credentials, or why they cannot be had. Never rejects. */
export type ReadCredentials = () => Promise<Credentials | { readonly trouble: Trouble }>;

export function credentialsOf(options: MqttOptions, side: Side, log: Log): ReadCredentials {
  let warned = false;
  /** A secret that everybody on the machine can read is used all the same: refusing would cost a path. */
  async function warnIfOpen(path: string): Promise<void> {
    if (warned || ((await stat(path)).mode & 0o007) === 0) return;
    warned = true;
    log.warn({ path }, "a secret for the broker can be read by everybody on this machine");
  }

  return async () => {
    try {
      const { passwordFile, ca, cert, key } = options;
      for (const path of [passwordFile, key]) if (path !== undefined) await warnIfOpen(path);
      return {
        user: ofSide(options.user, side),
        password:
          passwordFile === undefined
            ? ofSide(options.password, side)
            : (await readFile(passwordFile, "utf8")).replace(/\r?\n$/, ""),
        ca: ca === undefined ? undefined : await readFile(ca),
        cert: cert === undefined ? undefined : await readFile(cert),
        key: key === undefined ? undefined : await readFile(key),
      };
    } catch (error) {
      const { code, path, message } = error as NodeJS.ErrnoException;
      return { trouble: refused(`cannot read ${path ?? "a file"}: ${code ?? message}`) };
    }
  };
}

function ofSide(
  written: string | { readonly primary: string; readonly secondary: string } | undefined,
  side: Side,
): string | undefined {
  return typeof written === "object" ? written[side] : written;
}
