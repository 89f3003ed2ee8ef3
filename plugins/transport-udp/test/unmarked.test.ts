/** Without koffi a path works as ever, unmarked, and status says so where a mark was asked for. */

import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";
import { makePlugin, otherNode, recordingLog, testNode } from "@understudy/core/conformance/capabilities";
import { enterPrivateNetwork } from "@understudy/core/conformance/private-network";
import { until } from "@understudy/core/conformance/until";
import udp from "../src/plugin.js";

// A port that is free on a machine of others may be taken a moment later.
enterPrivateNetwork(import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "koffi") throw new Error("Cannot find package 'koffi'\nRequire stack: …");
    return next(specifier, context);
  },
});

for (const [name, options, level, status] of [
  [
    "asked for",
    { dscp: "EF" },
    "warn",
    /, unmarked: the C library cannot be called: Cannot find package 'koffi'$/,
  ],
  ["by default", {}, "info", /^[^,]+$/],
] as const) {
  test(`a mark ${name} that cannot be had`, async () => {
    const log = recordingLog();
    // Port 6941 and not 0: both ends must know it.
    const make = (node: ReturnType<typeof testNode>) =>
      makePlugin(udp, { ...options, port: 6941 }, { node, log });
    const [ours, theirs] = [make(testNode()), make(otherNode(testNode()))];
    let heard = 0;
    await ours.start(() => {
      heard += 1;
    });
    await theirs.start(() => undefined);
    try {
      await until("the peer is heard", () => heard > 0, { again: () => theirs.send(Buffer.from("peer")) });
      assert.match(ours.describe(), status);
      const said = log.lines.filter(({ message }) => message === "udp frames go unmarked");
      assert.deepEqual(
        said.map((line) => line.level),
        [level, level],
        "once by each end",
      );
    } finally {
      await Promise.all([ours.stop(), theirs.stop()]);
    }
  });
}
