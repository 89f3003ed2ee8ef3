/**
 * The certificate and key that the API is served with: those of the config, or a self-signed one that is made once and
 * kept in the state folder for as long as it names the right addresses.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Folders, NodeIdentity } from "@understudy/core/public";
import { vsmError } from "./errors.js";
import type { VsmOptions } from "./options.js";
import { type CertificateAndKey, selfSigned } from "./self-signed.js";

export type CertificateOption = Exclude<VsmOptions["tls"], "none">;

/** Throws VSM_CERTIFICATE_UNUSABLE. */
export function certificateOf(
  option: CertificateOption,
  node: NodeIdentity,
  folders: Folders,
): CertificateAndKey {
  return option === "generated" ? generated(node, folders) : given(option.certificate, option.key);
}

function given(certificateFile: string, keyFile: string): CertificateAndKey {
  const read = (file: string): string => {
    try {
      return readFileSync(file, "utf8");
    } catch (cause) {
      throw vsmError("VSM_CERTIFICATE_UNUSABLE", `${file} cannot be read: ${messageOf(cause)}`, { cause });
    }
  };
  const pair = { certificate: read(certificateFile), key: read(keyFile) };
  const trouble = troubleWith(pair);
  if (trouble !== undefined) {
    throw vsmError("VSM_CERTIFICATE_UNUSABLE", `${certificateFile} and ${keyFile} ${trouble}`);
  }
  return pair;
}

/** One file for both, so that they can never be of two different times. */
function generated(node: NodeIdentity, folders: Folders): CertificateAndKey {
  const file = join(folders.state, "vsm-certificate.pem");
  const names = [...node.haAddresses.map(({ address }) => address), node.cluster].filter(isCertifiable);
  const kept = readKept(file);
  if (kept !== undefined && troubleWith(kept) === undefined && namesAll(kept, names)) return kept;
  const made = selfSigned(`understudy ${node.cluster} ${node.name}`, names);
  try {
    writeFileSync(`${file}.new`, made.certificate + made.key, { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  } catch (cause) {
    throw vsmError("VSM_CERTIFICATE_UNUSABLE", `${file} cannot be written: ${messageOf(cause)}`, { cause });
  }
  return made;
}

function readKept(file: string): CertificateAndKey | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  const keyAt = text.indexOf("-----BEGIN PRIVATE KEY-----");
  return keyAt < 0 ? undefined : { certificate: text.slice(0, keyAt), key: text.slice(keyAt) };
}

/** An address, or a name that DNS could have. */
function isCertifiable(name: string): boolean {
  return name.includes(":") || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name);
}

function namesAll({ certificate }: CertificateAndKey, names: readonly string[]): boolean {
  const parsed = new X509Certificate(certificate);
  const check = (name: string) => (isIP(name) === 0 ? parsed.checkHost(name) : parsed.checkIP(name));
  return names.every((name) => check(name) !== undefined);
}

function troubleWith({ certificate, key }: CertificateAndKey): string | undefined {
  try {
    const matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return matches ? undefined : "do not belong together";
  } catch (error) {
    return `cannot be used: ${messageOf(error)}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
