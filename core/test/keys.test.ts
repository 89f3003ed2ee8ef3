/** The key file is read back as written, and refused whenever it is not safe or not whole. */

import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { UnderstudyError } from "../src/errors/error.js";
import { deriveKey } from "../src/keys/derive.js";
import {
  freeKeyId,
  newKey,
  newKeyRing,
  parseKeyRing,
  readKeyFile,
  writeKeyFile,
} from "../src/keys/key-file.js";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-keys-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function codeOf(action: () => unknown): { readonly code: string; readonly message: string } {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof UnderstudyError, String(error));
    return error;
  }
  assert.fail("nothing was thrown");
}

function written(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

test("a ring is read back as it was written, with mode 0600", () => {
  const path = join(folder, "key.json");
  const first = newKeyRing();
  const second = newKey(freeKeyId(first));
  const ring = { keys: [...first.keys, second], signWith: second.id };
  writeKeyFile(path, first);
  writeKeyFile(path, ring);
  assert.deepEqual(readKeyFile(path), ring);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("a missing file is named", () => {
  const { code, message } = codeOf(() => readKeyFile(join(folder, "absent.json")));
  assert.equal(code, "KEY_MISSING");
  assert.match(message, /absent\.json/);
});

test("a file that others may read or write is refused", () => {
  const path = join(folder, "open.json");
  writeKeyFile(path, newKeyRing());
  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o660]) {
    chmodSync(path, mode);
    const { code, message } = codeOf(() => readKeyFile(path));
    assert.equal(code, "KEY_PERMISSIONS");
    assert.match(message, new RegExp(mode.toString(8)));
  }
  chmodSync(path, 0o400);
  assert.ok(readKeyFile(path));
});

test("a file of another user is refused", () => {
  const path = join(folder, "foreign.json");
  writeKeyFile(path, newKeyRing());
  const self = process.geteuid?.() ?? 0;
  if (self !== 0) {
    // An ordinary user cannot give a file away; somebody else's file is what such a user cannot even open.
    assert.equal(statSync(path).uid, self);
    return;
  }
  chownSync(path, 12345, 12345);
  assert.equal(codeOf(() => readKeyFile(path)).code, "KEY_PERMISSIONS");
});

test("what is not a key ring is refused without showing secrets", () => {
  const { keys } = JSON.parse(readFileSync(written("model.json", modelText()), "utf8")) as {
    keys: { id: number; secret: string; created: string }[];
  };
  const [key] = keys;
  assert.ok(key);
  const short = { ...key, secret: Buffer.alloc(31, 7).toString("base64") };
  const cases: readonly [string, string, RegExp][] = [
    ["not JSON", `{"keys": [${key.secret}`, /not JSON/],
    ["no keys", JSON.stringify({ keys: [], signWith: 1 }), /keys/],
    ["unknown signWith", JSON.stringify({ keys: [key], signWith: 9 }), /signWith/],
    ["short secret", JSON.stringify({ keys: [short], signWith: 1 }), /32 bytes/],
    ["not base64", JSON.stringify({ keys: [{ ...key, secret: "%%%" }], signWith: 1 }), /secret/],
    ["id 0", JSON.stringify({ keys: [{ ...key, id: 0 }], signWith: 0 }), /id/],
    ["id 256", JSON.stringify({ keys: [{ ...key, id: 256 }], signWith: 256 }), /id/],
    ["doubled id", JSON.stringify({ keys: [key, key], signWith: 1 }), /same id/],
    ["a list", "[]", /file/],
  ];
  for (const [what, text, expected] of cases) {
    const { code, message } = codeOf(() => readKeyFile(written("bad.json", text)));
    assert.equal(code, "KEY_INVALID", what);
    assert.match(message, expected, what);
    assert.ok(!message.includes(key.secret), `${what}: the message shows no secret`);
  }
});

function modelText(): string {
  const path = join(folder, "made.json");
  writeKeyFile(path, newKeyRing());
  return readFileSync(path, "utf8");
}

test("a ring that could not be read again is not written", () => {
  const ring = newKeyRing();
  const path = join(folder, "kept.json");
  writeKeyFile(path, ring);
  assert.equal(codeOf(() => writeKeyFile(path, { ...ring, signWith: 7 })).code, "KEY_INVALID");
  assert.deepEqual(readKeyFile(path), ring);
  const nowhere = join(folder, "no/such/folder/key.json");
  assert.equal(codeOf(() => writeKeyFile(nowhere, ring)).code, "KEY_NOT_WRITTEN");
});

test("purposes give unrelated keys of the length asked for", () => {
  const [key] = newKeyRing().keys;
  assert.ok(key);
  const beat = deriveKey(key.secret, "beat");
  assert.equal(beat.length, 32);
  assert.deepEqual(deriveKey(key.secret, "beat"), beat);
  assert.notDeepEqual(deriveKey(key.secret, "tls"), beat);
  assert.equal(deriveKey(key.secret, "claim", 16).length, 16);
  const known = deriveKey(new Uint8Array(32).fill(1), "beat", 16);
  assert.equal(known.length, 16);
});

test("a new key's id is drawn, goes round, and skips those in use", () => {
  const key = (id: number) => newKey(id);
  assert.equal(
    freeKeyId({ keys: [key(1)], signWith: 1 }, () => 1),
    2,
  );
  assert.equal(
    freeKeyId({ keys: [key(1)], signWith: 1 }, () => 77),
    77,
  );
  assert.equal(
    freeKeyId({ keys: [key(255), key(1)], signWith: 1 }, () => 255),
    2,
  );
  assert.throws(() => parseKeyRing("{}", "x"));
});
