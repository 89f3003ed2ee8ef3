/** A real etcd that wants certificates, and one that wants a user: what is accepted, what is refused, and what comes back. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { contender, freshCluster, givenBack } from "./contenders.js";
import { postTo, startEtcd } from "./etcd-members.js";

enterPrivateNetwork(import.meta.url);

interface Authority {
  readonly folder: string;
  file(name: string): string;
  remove(): void;
}

/** A certificate authority with a certificate for the members ("server"), one for a node ("node"), and a stranger's. */
function makeAuthority(): Authority {
  const folder = mkdtempSync("/run/ca-");
  const file = (name: string) => join(folder, name);
  const openssl = (...args: readonly string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
  for (const name of ["ca", "stranger"])
    openssl("req", "-x509", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`);
  // The gateway inside etcd presents the member's own certificate to it, so that must be good for both.
  for (const name of ["server", "node"]) {
    writeFileSync(
      file(`${name}.ext`),
      "subjectAltName=DNS:etcd.example,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n",
    );
    openssl(
      "req",
      ...key.slice(0, -2),
      "-subj",
      `/CN=${name}`,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
    );
    openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "30",
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
  }
  return { folder, file, remove: () => rmSync(folder, { recursive: true }) };
}

test("TLS with certificates on both sides, and without the right one nothing", async () => {
  const { file, remove } = makeAuthority();
  const certificates = ["--cert-file", file("server.pem"), "--key-file", file("server.key")];
  const etcd = startEtcd({
    count: 1,
    scheme: "https",
    flags: [...certificates, "--trusted-ca-file", file("ca.pem"), "--client-cert-auth"],
    tls: {
      ca: readFileSync(file("ca.pem")),
      cert: readFileSync(file("node.pem")),
      key: readFileSync(file("node.key")),
    },
  });
  try {
    await etcd.ready();
    const cluster = freshCluster();
    await etcd.put(`/understudy/${cluster}/record`, givenBack);
    const mine = { ca: file("ca.pem"), certificate: file("node.pem"), key: file("node.key") };
    for (const [tls, verdict, why] of [
      [mine, "granted", /granted epoch/],
      [{ ...mine, serverName: "etcd.example" }, "granted", /granted epoch/],
      [{ ...mine, serverName: "other.example" }, "unknown", /other\.example|altnames/],
      [{ ...mine, ca: file("stranger.pem") }, "unknown", /self-signed|unable to verify|issuer/],
      [{ ca: file("ca.pem") }, "unknown", /certificate|ECONNRESET|alert/],
    ] as const) {
      const options = { endpoints: etcd.endpoints, ttlSeconds: 2, requestTimeoutMs: 1000, tls };
      const { arbiter, ruled } = await contender("one", cluster, options);
      await ruled(1, verdict, why).finally(() => arbiter.stop());
    }
  } finally {
    await etcd.dispose();
    remove();
  }
});

test("files that are missing or no PEM keep the plugin from starting, by name", async () => {
  const { file, remove } = makeAuthority();
  const endpoints = ["https://127.0.0.1:1"];
  writeFileSync(file("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const fails = (options: object, code: string, message: RegExp) =>
    assert.rejects(contender("one", "x", { endpoints, ...options }), (error: Error & { code?: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  await fails({ tls: { ca: file("none.pem") } }, "ETCD_NO_FILE", /tls\.ca .*none\.pem/);
  await fails({ tls: { ca: file("broken.pem") } }, "ETCD_BAD_FILE", /broken\.pem/);
  await fails(
    { tls: { certificate: file("node.pem"), key: file("server.key") } },
    "ETCD_BAD_FILE",
    /server\.key/,
  );
  await fails({ user: "u", passwordFile: file("none") }, "ETCD_NO_FILE", /passwordFile/);
  remove();
});

test("a user logs in, again when etcd has forgotten him, and a wrong password grants nothing", async () => {
  const folder = mkdtempSync("/run/login-");
  const passwordFile = join(folder, "password");
  const wrongFile = join(folder, "wrong");
  writeFileSync(passwordFile, "s3cret pass\n");
  writeFileSync(wrongFile, "other\n");
  const etcd = startEtcd({ count: 1 });
  const [member] = etcd.members;
  assert.ok(member);
  try {
    await etcd.ready();
    const cluster = freshCluster();
    await etcd.put(`/understudy/${cluster}/record`, givenBack);
    const post = async (path: string, body: object) =>
      assert.ok(await postTo(`${member.endpoint}/v3/auth/${path}`, body, { withinMs: 20_000 }), path);
    const key = Buffer.from("/understudy/").toString("base64");
    const rangeEnd = Buffer.from("/understudy0").toString("base64");
    await post("user/add", { name: "root", password: "root" });
    await post("user/grant", { user: "root", role: "root" });
    await post("role/add", { name: "understudy" });
    await post("role/grant", {
      name: "understudy",
      perm: { permType: "READWRITE", key, range_end: rangeEnd },
    });
    await post("user/add", { name: "pair", password: "s3cret pass" });
    await post("user/grant", { user: "pair", role: "understudy" });
    await post("enable", {});

    const base = { endpoints: etcd.endpoints, ttlSeconds: 5 };
    const nobody = await contender("one", cluster, base);
    await nobody.ruled(1, "unknown", /granted nothing: etcdserver: user name is empty/);
    await nobody.arbiter.stop();
    const wrong = await contender("one", cluster, { ...base, user: "pair", passwordFile: wrongFile });
    await wrong.ruled(1, "unknown", /granted nothing: etcdserver: authentication failed/);
    await wrong.arbiter.stop();
    const outside = await contender("one", cluster, {
      ...base,
      user: "pair",
      passwordFile,
      prefix: "/other",
    });
    await outside.ruled(1, "unknown", /granted nothing: etcdserver: permission denied/);
    await outside.arbiter.stop();

    const { arbiter, ruled, log } = await contender("one", cluster, { ...base, user: "pair", passwordFile });
    await ruled(1, "granted");
    // Simple tokens live in the members' memory: after a restart the one in use is invalid.
    await member.kill();
    member.start();
    await ruled(1, "granted");
    await arbiter.release?.(1);
    await arbiter.stop();
    assert.ok(!JSON.stringify(log.lines).includes("s3cret"), "the password is in the log");
  } finally {
    await etcd.dispose();
    rmSync(folder, { recursive: true });
  }
});
