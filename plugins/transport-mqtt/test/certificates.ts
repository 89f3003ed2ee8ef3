/** Certificates for tests, made with openssl: an authority, a broker's for 127.0.0.1 and localhost, a client's. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificates {
  readonly ca: string;
  readonly brokerCert: string;
  readonly brokerKey: string;
  readonly clientCert: string;
  readonly clientKey: string;
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "understudy-certificates-"));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
    "-subj",
    "/CN=test authority",
    "-days",
    "2",
  );
  const issue = (name: string, subject: string, extension: string) => {
    openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", subject);
    writeFileSync(at(`${name}.ext`), extension);
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
    const files = ["-in", `${name}.csr`, "-out", `${name}.pem`, "-extfile", `${name}.ext`];
    openssl("x509", "-req", ...files, ...by, "-days", "2");
  };
  issue("broker", "/CN=broker", "subjectAltName=IP:127.0.0.1,DNS:broker.example.com");
  issue("client", "/CN=one", "extendedKeyUsage=clientAuth");
  return {
    ca: at("ca.pem"),
    brokerCert: at("broker.pem"),
    brokerKey: at("broker.key"),
    clientCert: at("client.pem"),
    clientKey: at("client.key"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
