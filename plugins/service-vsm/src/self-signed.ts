/**
 * A self-signed certificate after RFC 5280 for the HA addresses, of an ECDSA key on P-256. Node's crypto signs but makes
 * no certificates; the few fields that one needs are written here rather than by a tree of packages.
 */

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP, SocketAddress } from "node:net";
import { bits, der, explicit, implicit, integer, objectId, octets, sequence, set, utf8, yes } from "./der.js";

export interface CertificateAndKey {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

const ecdsaWithSha256 = sequence(objectId("1.2.840.10045.4.3.2"));
/**
 * Self-signed certificates are trusted one by one and cannot be revoked, so an end would only be an outage on a day that
 * nobody expects; and appliances without a clock of their own boot in the past. RFC 5280, 4.1.2.5, names this end.
 */
const validity = sequence(
  der(0x18, Buffer.from("20000101000000Z")),
  der(0x18, Buffer.from("99991231235959Z")),
);

export function selfSigned(commonName: string, names: readonly string[]): CertificateAndKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(set(sequence(objectId("2.5.4.3"), utf8(commonName.slice(0, 64)))));
  const serial = randomBytes(16);
  // Positive, and never of leading zeros, which DER would not allow.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const toBeSigned = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, extensions(names)),
  );
  const signature = sign("sha256", toBeSigned, privateKey);
  return {
    certificate: pem("CERTIFICATE", sequence(toBeSigned, ecdsaWithSha256, bits(signature))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function extensions(names: readonly string[]): Buffer {
  const extension = (id: string, critical: boolean, value: Uint8Array) =>
    sequence(objectId(id), ...(critical ? [yes] : []), octets(value));
  // digitalSignature
  const keyUsage = bits(Buffer.from([0x80]), 7);
  const serverAuth = objectId("1.3.6.1.5.5.7.3.1");
  return sequence(
    // It may be put among the trusted ones itself, and vouches for nobody else.
    extension("2.5.29.19", true, sequence()),
    extension("2.5.29.15", true, keyUsage),
    extension("2.5.29.37", false, sequence(serverAuth)),
    extension("2.5.29.17", false, sequence(...names.map(generalName))),
  );
}

function generalName(name: string): Buffer {
  return isIP(name) === 0 ? implicit(2, Buffer.from(name, "ascii")) : implicit(7, addressBytes(name));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  // The canonical text has at most one gap, and no IPv4 tail once it is spelled out.
  const text = new SocketAddress({ address, family: "ipv6" }).address;
  const withoutTail = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [a * 256 + +b, c * 256 + +d].map((word) => word.toString(16)).join(":"),
  );
  const [head = "", tail] = withoutTail.split("::");
  const words = (part: string) => part.split(":").filter(Boolean);
  const gap = tail === undefined ? 0 : 8 - words(head).length - words(tail).length;
  const all = [...words(head), ...Array<string>(gap).fill("0"), ...words(tail ?? "")];
  return Buffer.from(all.map((word) => word.padStart(4, "0")).join(""), "hex");
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
