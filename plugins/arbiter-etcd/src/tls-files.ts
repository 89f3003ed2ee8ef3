/** Reads what the config names by path: certificates, key and password. Missing or broken files are named. */

import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { etcdError } from "./errors.js";
import type { TlsMaterial } from "./one-call.js";
import type { EtcdOptions } from "./options.js";

async function read(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw etcdError("ETCD_NO_FILE", `${option} of the etcd arbiter cannot be read: ${reason}`, {
      cause: error,
    });
  }
}

export async function readTlsFiles({ tls }: EtcdOptions): Promise<TlsMaterial> {
  if (tls === undefined) return {};
  const material: TlsMaterial = {
    ...(tls.ca === undefined ? {} : { ca: await read("tls.ca", tls.ca) }),
    ...(tls.certificate === undefined ? {} : { cert: await read("tls.certificate", tls.certificate) }),
    ...(tls.key === undefined ? {} : { key: await read("tls.key", tls.key) }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
  };
  try {
    // OpenSSL skips a broken authority without a word.
    if (material.ca !== undefined) new X509Certificate(material.ca);
    createSecureContext(material);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const files = [tls.ca, tls.certificate, tls.key].filter((path) => path !== undefined).join(", ");
    throw etcdError("ETCD_BAD_FILE", `one of ${files} is no use for TLS: ${reason}`, { cause: error });
  }
  return material;
}

export async function readPassword({ passwordFile }: EtcdOptions): Promise<string | undefined> {
  if (passwordFile === undefined) return undefined;
  const text = (await read("passwordFile", passwordFile)).toString("utf8");
  return text.split(/\r?\n/, 1)[0] ?? "";
}
