/** systemd hears what a notify unit has to say, by path and by abstract name, and silence costs nothing. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import koffi from "koffi";
import { openSystemdNotify } from "../src/ipc/sd-notify.js";

const libc = koffi.load(null);
const socket = libc.func("int socket(int domain, int type, int protocol)");
const bind = libc.func("int bind(int fd, const uint8_t *address, uint32_t size)");
const recv = libc.func("int64_t recv(int fd, _Out_ uint8_t *data, size_t length, int flags)");
const close = libc.func("int close(int fd)");

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-notify-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A manager's end. A datagram on one host is there when the sender's call has returned, so nothing has to wait. */
function listenAs(name: string): { readonly received: () => string | undefined; readonly close: () => void } {
  const file = Number(socket(1, 2 | 0x80000, 0));
  const bytes = Buffer.from(name.startsWith("@") ? `\0${name.slice(1)}` : `${name}\0`);
  const address = Buffer.concat([Buffer.from(new Uint16Array([1]).buffer), bytes]);
  assert.equal(bind(file, address, address.length), 0, `bind ${name}`);
  return {
    received() {
      const data = Buffer.alloc(4096);
      const length = Number(recv(file, data, data.length, 0x40));
      return length < 0 ? undefined : data.subarray(0, length).toString();
    },
    close: () => close(file),
  };
}

test("every message arrives, by path and by abstract name", async () => {
  for (const name of [join(folder, "notify"), `@understudy-test-${process.pid}`]) {
    const manager = listenAs(name);
    const env: NodeJS.ProcessEnv = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "2000000" };
    const notify = await openSystemdNotify(env);
    assert.deepEqual(env, {}, "no child inherits the socket");
    assert.equal(notify.watchdogMs, 2000);
    notify.ready("standby\nfor tlha");
    notify.status("active with epoch 3");
    notify.watchdog();
    notify.stopping();
    assert.equal(manager.received(), "READY=1\nSTATUS=standby for tlha");
    assert.equal(manager.received(), "STATUS=active with epoch 3");
    assert.equal(manager.received(), "WATCHDOG=1");
    assert.equal(manager.received(), "STOPPING=1");
    assert.equal(manager.received(), undefined);
    notify.close();
    manager.close();
  }
});

test("a manager that never reads does not hold us up", async () => {
  const name = join(folder, "full");
  const manager = listenAs(name);
  const notify = await openSystemdNotify({ NOTIFY_SOCKET: name });
  for (let n = 0; n < 5000; n += 1) notify.watchdog();
  assert.equal(manager.received(), "WATCHDOG=1");
  notify.close();
  manager.close();
});

test("without systemd, or with a path no socket can have, nothing is said", async () => {
  const none = await openSystemdNotify({});
  none.ready();
  none.close();
  assert.equal(none.socket, undefined);
  const tooLong = await openSystemdNotify({ NOTIFY_SOCKET: `/${"x".repeat(200)}`, WATCHDOG_USEC: "1" });
  tooLong.watchdog();
  assert.equal(tooLong.socket, undefined);
  assert.equal(tooLong.watchdogMs, undefined);
});

test("another process's watchdog is not ours", async () => {
  const name = join(folder, "other");
  const manager = listenAs(name);
  const env = { NOTIFY_SOCKET: name, WATCHDOG_USEC: "5000000", WATCHDOG_PID: "1" };
  const notify = await openSystemdNotify(env);
  assert.equal(notify.watchdogMs, undefined);
  notify.close();
  manager.close();
});
