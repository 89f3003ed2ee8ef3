/** Pages fit into the lines of the control socket, whatever the sessions carry, and nothing falls between two of them. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { linePages } from "../src/cli/line-pages.js";
import type { ControlCommands } from "../src/ipc/control.js";
import type { Session } from "../src/node/session-api.js";
import type { SessionEngine } from "../src/node/session-engine.js";
import { closeTestNodes, startTestNode } from "./node-kit.js";
import { nodeStatus } from "./status-kit.js";

afterEach(closeTestNodes);

const total = 1500;

function bulky(number: number): Session {
  return {
    id: String(number).padStart(26, "0"),
    user: `user${number}`,
    agent: "agent1",
    createdAt: "2026-01-01T00:00:00.000Z",
    attributes: { text: 'ü"\\'.repeat(500) },
    state: "running",
    overLimit: false,
    epoch: 1,
  };
}

/** Only what looking needs. */
function bulkyEngine(): SessionEngine {
  const sessions = Array.from({ length: total }, (_, index) => bulky(index));
  const page = (after: string | undefined, limit: number) => {
    const found = sessions.filter(({ id }) => after === undefined || id > after).slice(0, limit);
    return { found, next: found.length === limit ? found.at(-1)?.id : undefined };
  };
  const api: Partial<SessionEngine["api"]> = {
    async list({ after, limit }) {
      const { found, next } = page(after, limit);
      return { ok: true, sessions: found, next };
    },
    stale: false,
  };
  const engine: Partial<SessionEngine> = {
    api: api as SessionEngine["api"],
    start: async () => {},
    stop: async () => {},
    onChange() {},
    setPermit() {},
    setServing() {},
    status: () => nodeStatus().sessions as NonNullable<ReturnType<typeof nodeStatus>["sessions"]>,
    async exportPage(after) {
      const { found, next } = page(after, 500);
      return { lines: found.map((session) => JSON.stringify(session)), next };
    },
  };
  return engine as SessionEngine;
}

test("a list and an export of bulky sessions come whole, page by page", async () => {
  const one = await startTestNode({ parts: () => ({ engine: bulkyEngine() }) });
  const listed: string[] = [];
  const exported: string[] = [];
  let after: string | undefined;
  do {
    const page = await one.control("sessionsList", {
      limit: 1000,
      ...(after === undefined ? {} : { after }),
    });
    listed.push(...(page.sessions as readonly Session[]).map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
  do {
    const page: ControlCommands["sessionsExport"]["result"] = await one.control(
      "sessionsExport",
      after === undefined ? {} : { after },
    );
    exported.push(...page.lines.map((line) => (JSON.parse(line) as Session).id));
    after = page.next;
  } while (after !== undefined);
  const all = Array.from({ length: total }, (_, index) => bulky(index).id);
  assert.deepEqual(listed, all);
  assert.deepEqual(exported, all);
});

test("lines to import are cut into pages by number and by size, empty ones left out", async () => {
  async function* lines() {
    yield "";
    for (let number = 0; number < 600; number += 1) yield "x";
    for (let number = 0; number < 3; number += 1) yield "ü".repeat(150_000);
  }
  const sizes: number[] = [];
  for await (const page of linePages(lines())) sizes.push(page.length);
  assert.deepEqual(sizes, [500, 101, 1, 1]);
});
