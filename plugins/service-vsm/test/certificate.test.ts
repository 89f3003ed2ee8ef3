/** HTTPS: a certificate is made, is right, is kept and is made anew when it must be; a given one is used or refused. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { test } from "node:test";
import { testFolders, testNode } from "@understudy/core/conformance/capabilities";
import { certificateOf } from "../src/certificate.js";
import { selfSigned } from "../src/self-signed.js";
import { haAddress, makeVsm, startVsm } from "./running-vsm.js";

const node = testNode({
  cluster: "tlha",
  haAddresses: [
    { address: "10.0.0.4", family: 4, prefixLength: 24, interfaceName: undefined },
    { address: "fd00:1::4", family: 6, prefixLength: 64, interfaceName: undefined },
  ],
});

test("it names addresses and cluster, for a server and nothing else, and is well formed to others too", () => {
  const names = ["10.0.0.4", "fd00:1::4", "::ffff:1.2.3.4", "tlha"];
  const { certificate, key } = selfSigned("understudy tlha one", names);
  const parsed = new X509Certificate(certificate);
  for (const address of ["10.0.0.4", "fd00:1::4"]) assert.equal(parsed.checkIP(address), address);
  assert.equal(parsed.checkHost("tlha"), "tlha");
  assert.equal(parsed.checkIP("10.0.0.5"), undefined);
  assert.equal(parsed.ca, false);
  assert.ok(parsed.verify(parsed.publicKey), "its own key signed it");
  assert.equal(parsed.validToDate.getUTCFullYear(), 9999);
  assert.match(key, /BEGIN PRIVATE KEY/);
  const text = execFileSync("openssl", ["x509", "-noout", "-text"], { input: certificate }).toString();
  assert.match(text, /ASN1 OID: prime256v1/);
  assert.match(
    text,
    /IP Address:10\.0\.0\.4, IP Address:FD00:1:0:0:0:0:0:4, IP Address:0:0:0:0:0:FFFF:102:304, DNS:tlha/,
  );
  assert.match(text, /TLS Web Server Authentication/);
  assert.match(text, /Digital Signature/);
});

test("serial numbers are positive, well formed, and never the same", () => {
  const serials = Array.from(
    { length: 20 },
    () => new X509Certificate(selfSigned("x", ["10.0.0.4"]).certificate),
  );
  const numbers = new Set(serials.map(({ serialNumber }) => serialNumber));
  assert.equal(numbers.size, 20);
  for (const number of numbers) assert.match(number, /^[4-7][0-9A-F]{31}$/);
});

test("a generated one is kept, for this user alone, as long as it names the HA addresses", () => {
  const folders = testFolders();
  const first = certificateOf("generated", node, folders);
  assert.deepEqual(certificateOf("generated", node, folders), first);
  const file = join(folders.state, "vsm-certificate.pem");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const moved = testNode({
    haAddresses: [{ address: "10.0.0.9", family: 4, prefixLength: 24, interfaceName: undefined }],
  });
  const second = certificateOf("generated", moved, folders);
  assert.notEqual(second.certificate, first.certificate);
  assert.equal(new X509Certificate(second.certificate).checkIP("10.0.0.9"), "10.0.0.9");
  folders.remove();
});

test("a damaged one is made anew", () => {
  const folders = testFolders();
  const first = certificateOf("generated", node, folders);
  const file = join(folders.state, "vsm-certificate.pem");
  for (const damage of ["", "garbage", readFileSync(file, "utf8").slice(0, 300)]) {
    writeFileSync(file, damage);
    const fresh = certificateOf("generated", node, folders);
    assert.notEqual(fresh.certificate, first.certificate);
    assert.deepEqual(certificateOf("generated", node, folders), fresh);
  }
  folders.remove();
});

test("a state folder that cannot be written is an error with a code", () => {
  const folders = { state: "/nonexistent/state", run: "/nonexistent/run" };
  assert.throws(() => certificateOf("generated", node, folders), { code: "VSM_CERTIFICATE_UNUSABLE" });
});

test("a given one is used", () => {
  const folders = testFolders();
  const pair = selfSigned("given", ["10.0.0.4"]);
  const files = { certificate: join(folders.state, "c.pem"), key: join(folders.state, "k.pem") };
  writeFileSync(files.certificate, pair.certificate);
  writeFileSync(files.key, pair.key);
  assert.deepEqual(certificateOf(files, node, folders), pair);
  writeFileSync(files.key, selfSigned("other", ["10.0.0.4"]).key);
  assert.throws(() => certificateOf(files, node, folders), {
    code: "VSM_CERTIFICATE_UNUSABLE",
    message: /do not belong together/,
  });
  writeFileSync(files.key, "no key");
  assert.throws(() => certificateOf(files, node, folders), { code: "VSM_CERTIFICATE_UNUSABLE" });
  folders.remove();
  assert.throws(() => certificateOf(files, node, folders), { message: /cannot be read: ENOENT/ });
});

test("the API is served over HTTPS by default, to a client that trusts the certificate for the HA address", async () => {
  const vsm = await startVsm({ tls: "generated" });
  try {
    const ca = readFileSync(join(vsm.folders.state, "vsm-certificate.pem"));
    const status = await new Promise((resolve, reject) => {
      request({ host: haAddress, port: vsm.port, path: "/v1/status", ca, agent: false }, (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode));
      })
        .on("error", reject)
        .end();
    });
    assert.equal(status, 200);
  } finally {
    await vsm.close();
  }
});

test("a start with files that are not there says so", async () => {
  const vsm = await makeVsm({ tls: { certificate: "/nonexistent/c.pem", key: "/nonexistent/k.pem" } });
  await assert.rejects(vsm.service.start(), { code: "VSM_CERTIFICATE_UNUSABLE" });
  assert.equal(await vsm.service.health(), "stopped");
  await vsm.close();
});
