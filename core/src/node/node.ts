/**
 * The node process as one thing: joins pulse's wishes, sessions, services, the link to the other node, timeline, tokens
 * and the operator. Owns the order in which they start and end; nothing here blocks the main thread.
 */

import { join } from "node:path";
import { nodeError } from "../errors/node.js";
import type { NodeReport } from "../failover/event.js";
import type { Role } from "../heartbeat/beat.js";
import type { NodeStatus } from "../ipc/control.js";
import { lookAtThread } from "../plugin/thread-look.js";
import { createArbiters } from "./arbiters.js";
import { bounded } from "./bounded.js";
import { configChanges, describeChanges } from "./config-changes.js";
import { controlCommands } from "./control-commands.js";
import { type ControlServer, startControlServer } from "./control-server.js";
import { createFences } from "./fences.js";
import { createNodeLink, type NodeLink, type PeerRole } from "./node-link.js";
import { nodeReport, sameReport } from "./node-report.js";
import { nodeStatus } from "./node-status.js";
import { createObserverQueue, type ObserverQueue } from "./observers.js";
import { noteOffsets } from "./offset-notes.js";
import type { Named, NodeParts, Replaceable } from "./parts.js";
import { createPulseClient, type LastWords, type PulseClient, type PulseWishes } from "./pulse-client.js";
import { createServiceUnit, type ServiceUnit } from "./service-unit.js";
import { createServices, type Finished } from "./services.js";
import { type StallWatch, watchStalls } from "./stalls.js";
import { createTimeline } from "./timeline.js";
import { startTransports } from "./transports.js";
import { createWithdrawal } from "./withdrawal.js";

export interface Node {
  start(): Promise<void>;
  /** Hands over if somebody can take over, then demotes, stops and closes, each with an end. */
  stop(): Promise<void>;
  status(): NodeStatus;
}

const lookEveryMs = 100;
/** As often is told what has not changed. */
const reportEveryMs = 1000;
/** The other node answers by a status only while pulse has been heard within this time. */
const roleFreshMs = 500;
const askRoleLimitMs = 1000;
/** How long a node that ends leaves pulse to move the service to the other one (rule R27). */
const handoverLimitMs = 2000;
const stopLimitMs = 5000;
const freezeSlackMs = 200;

function holdsAddress(role: Role): boolean {
  return role === "active" || role === "claiming" || role === "releasing";
}

export function createNode(parts: NodeParts): Node {
  const { log, clock, engine, tokens } = parts;
  const folders = parts.local.config.folders;
  let running: Replaceable = parts;
  let stopping = false;
  let met = false;
  /** Counts promotions and demotions, so that what ends late is known to be overtaken. */
  let moves = 0;
  let lastReport: NodeReport | undefined;
  let reportedMs = Number.NEGATIVE_INFINITY;
  let reportTimer: NodeJS.Timeout | undefined;
  let control: ControlServer | undefined;
  let stalls: StallWatch | undefined;
  const startedAt = new Date().toISOString();

  const timeline = createTimeline({
    stateFolder: folders.state,
    node: parts.local.self.name,
    clock,
    log,
    ...(parts.boot === undefined ? {} : { boot: parts.boot }),
  });
  const units = new Map(running.services.map((named) => [named.plugin, unitOf(named)]));
  const services = createServices([...units.values()]);
  let observers = new Map(running.observers.map((named) => [named.plugin, queueOf(named)]));
  timeline.onEntry((entry) => {
    for (const queue of observers.values()) queue.push(entry);
  });

  function unitOf({ name, plugin }: Named<Replaceable["services"][number]["plugin"]>): ServiceUnit {
    return createServiceUnit({ name, service: plugin, log: log.with({ service: name }), changed });
  }

  function queueOf({ name, plugin }: Named<Replaceable["observers"][number]["plugin"]>): ObserverQueue {
    return createObserverQueue(name, plugin, log.with({ observer: name }));
  }

  // ------------------------------------------------------------------------------------------------- pulse

  function report(): NodeReport {
    met ||= link.isUp;
    return nodeReport({
      servicesOk: services.ok,
      sessions: engine?.status(),
      linkUp: link.isUp,
      met,
      stopping,
    });
  }

  function sendReport(): void {
    lastReport = report();
    reportedMs = clock.nowMs();
    pulse.report(lastReport);
  }

  /** For what changes without anybody saying so. */
  function lookAgain(): void {
    if (clock.nowMs() - reportedMs >= reportEveryMs || !sameReport(lastReport, report())) sendReport();
  }

  /** Something that the report or status may show is different. */
  function changed(): void {
    if (!sameReport(lastReport, report())) sendReport();
    control?.changed();
  }

  async function promote(epoch: number, stale: boolean): Promise<Finished> {
    moves += 1;
    met = true;
    engine?.setServing({ epoch, stale });
    const finished = await services.promote(epoch);
    changed();
    return finished;
  }

  async function demote(): Promise<Finished> {
    moves += 1;
    const mine = moves;
    const finished = await services.demote();
    // A service may let go slowly, and this node may be serving again by then.
    if (moves === mine) engine?.setServing(undefined);
    changed();
    return finished;
  }

  async function freeze(freezeMs: number): Promise<Finished> {
    // Without sessions of ours there is nothing to compare.
    if (engine === undefined) return { outcome: "confirmed", detail: "" };
    const result = await bounded(() => engine.freeze(freezeMs), freezeMs + freezeSlackMs);
    return result.kind === "done" ? result.value : { outcome: "unknown", detail: result.reason };
  }

  function pulseLost(last: LastWords): void {
    engine?.setPermit(undefined);
    withdrawal.begin(last);
    timeline.record(
      "pulse",
      last.held ? `pulse ended while it had the HA address, epoch ${last.epoch}` : "pulse ended",
      last.held ? ["R12"] : [],
    );
    void demote();
  }

  const wishes: PulseWishes = {
    permit: (permit) => engine?.setPermit(permit),
    promote,
    demote: () => demote(),
    freeze,
    unfreeze: () => engine?.unfreeze(),
    peerRole: () => link.askRole(askRoleLimitMs),
    askArbiters: (epoch, names) => arbiters.ask(epoch, names),
    releaseGrant: (epoch) => void arbiters.release(epoch),
    fence: (name) => fences.fire(name),
    sendFrame: (path, frame) => transports.send(path, frame),
    entry: (entry) => timeline.add(entry),
    status: () => control?.changed(),
    connected() {
      timeline.record("pulse", "connected to pulse", []);
      pulse.send({ type: "peerLink", up: link.isUp });
      transports.describeAll();
      sendReport();
      control?.changed();
    },
    silent(silent) {
      const what = silent ? "pulse does not answer: it hangs or is stopped" : "pulse answers again";
      timeline.record("pulse", what, silent ? ["R1"] : []);
      control?.changed();
    },
    lost: pulseLost,
  };

  function ownRole(): PeerRole | undefined {
    const status = pulse.freshStatus(roleFreshMs);
    // One that claims or still lets go holds the address too: the asker must not take it for free (rule R9).
    return status && { active: holdsAddress(status.role), epoch: status.epoch };
  }

  // --------------------------------------------------------------------------------------------- the other node

  let keys = parts.readKeys();
  const link: NodeLink = createNodeLink({
    clock,
    log,
    hello: () => ({
      node: parts.local.self.name,
      version: parts.version,
      boot: timeline.boot,
      configDigest: running.local.config.digest,
    }),
    keys: () => ({ ids: keys.keys.map(({ id }) => id), signWith: keys.signWith }),
    tokens: () => tokens.list(),
    timeline: (limit) => timeline.newest(limit),
    ownRole,
    makeLink: (listeners) => parts.makeLink(listeners, keys),
    listeners: {
      upChanged(up, why) {
        pulse.send({ type: "peerLink", up });
        timeline.record(
          "link",
          up ? `the link to the other node is up: ${why}` : `the link to the other node is down: ${why}`,
          [],
        );
        changed();
      },
      goodbye(epoch) {
        timeline.record(
          "goodbye",
          "the other node's pulse ended, and its node process withdrew the address",
          ["R12"],
          { epoch },
        );
        pulse.send({ type: "peerGoodbye", epoch });
      },
      tokens: (records) =>
        void tokens
          .merge(records)
          .catch((error: unknown) => log.error({ error }, "cannot take the other node's tokens")),
      offsetMeasured: noteOffsets(timeline),
    },
  });
  tokens.onChange((records) => link.sendTokens(records));

  const withdrawal = createWithdrawal({
    freshBackends: () => parts.freshAddresses(),
    releaseGrants: (epoch) => void arbiters.release(epoch),
    sayGoodbye: (epoch) => link.sayGoodbye(epoch),
    record: (what, details) => timeline.record("withdrawal", what, ["R12"], details),
    log,
  });

  const pulse: PulseClient = createPulseClient({
    socketPath: join(folders.run, "pulse.sock"),
    version: parts.version,
    clock,
    wishes,
    ready: () => withdrawal.settled(),
  });
  const transports = startTransports({
    transports: parts.transports,
    pulse,
    clock,
    log,
    meter: parts.blocking.meter,
    misbehaved: (path, what) =>
      timeline.record("plugin", `the transport of path ${path} ${what}`, [], {
        code: "PLUGIN_MISBEHAVES",
        path,
      }),
  });
  parts.blocking.tell((news) => void pulse.passing({ type: "pluginBlocked", ...news }));
  const arbiters = createArbiters({
    arbiters: parts.arbiters,
    clock,
    log,
    ruled: (ruling) => pulse.send({ type: "arbiterRuled", ...ruling }),
    changed: () => control?.changed(),
  });
  const fences = createFences({
    fences: parts.fences,
    clock,
    log,
    record: (what, details) => timeline.record("fence", what, ["R32"], details),
    changed: () => control?.changed(),
  });
  engine?.onChange(changed);

  // --------------------------------------------------------------------------------------------- the operator

  function reloadKeys(): void {
    keys = parts.readKeys();
    link.setKeys(keys.keys, keys.signWith);
    engine?.setKeys(keys.keys, keys.signWith);
  }

  async function reload(): Promise<{ readonly message: string }> {
    const next = await parts.reread(running);
    const changes = configChanges(running.local.config, next.local.config);
    // As a whole or not at all, and the same in both processes.
    if (changes.atRestart.length > 0) {
      const what = `nothing was changed: ${changes.atRestart.join(", ")} cannot change while a node runs`;
      throw nodeError("NODE_RELOAD_NEEDS_RESTART", what);
    }
    await adopt(next);
    pulse.send({ type: "reload" });
    const message = describeChanges(changes);
    timeline.record("config", `reload: ${message}`, ["R28"]);
    log.info({ message }, "the config was read again");
    changed();
    return { message };
  }

  async function adopt(next: Replaceable): Promise<void> {
    log.setLevel(next.local.config.log.level);
    running = next;
    for (const named of next.services) {
      if (!units.has(named.plugin)) units.set(named.plugin, unitOf(named));
    }
    const kept = next.services.flatMap(({ plugin }) => units.get(plugin) ?? []);
    for (const plugin of [...units.keys()]) {
      if (!next.services.some((named) => named.plugin === plugin)) units.delete(plugin);
    }
    const before = observers;
    observers = new Map(
      next.observers.map((named) => [named.plugin, before.get(named.plugin) ?? queueOf(named)]),
    );
    for (const [plugin, queue] of before) if (!observers.has(plugin)) void queue.stop();
    for (const [plugin, queue] of observers) if (!before.has(plugin)) void queue.start();
    await services.replace(kept);
  }

  const status = (): NodeStatus =>
    nodeStatus({
      version: parts.version,
      local: running.local,
      startedAt,
      pulse: pulse.silentMs === undefined ? pulse.status : undefined,
      pulseSilentMs: pulse.silentMs,
      sessions: engine?.status(),
      services: services.statuses(),
      arbiters: arbiters.statuses(),
      fences: fences.statuses(),
      observers: [...observers.values()].map((queue) => queue.status()),
      nodeLink: link.describe(),
    });
  parts.statusSource?.comesFrom(status);

  const handlers = controlCommands({
    status,
    pulse,
    link,
    engine,
    tokens,
    timeline,
    keys: {
      now: () => ({ ids: keys.keys.map(({ id }) => id), signWith: keys.signWith }),
      reload: reloadKeys,
    },
    reload,
  });

  /** Somebody else would serve as well: worth a moment of waiting. */
  function peerCouldServe(): boolean {
    const peer = pulse.status?.peer;
    return peer?.alive === true && peer.role === "standby" && peer.verified;
  }

  async function letGo(): Promise<void> {
    stopping = true;
    sendReport();
    const untilMs = clock.nowMs() + handoverLimitMs;
    const holds = () => pulse.status !== undefined && holdsAddress(pulse.status.role);
    while (holds() && (peerCouldServe() || pulse.status?.role === "releasing") && clock.nowMs() < untilMs) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  return {
    async start() {
      await timeline.open();
      timeline.record("start", `the node process started, version ${parts.version}`, []);
      for (const { text, code } of parts.missing ?? []) timeline.record("plugin", text, [], { code });
      reportTimer = setInterval(lookAgain, lookEveryMs);
      control = await startControlServer({ path: join(folders.run, "node.sock"), handlers, log });
      // None of them keeps the node from starting: what they do not grant or confirm is not granted or confirmed.
      void arbiters.start();
      void fences.start();
      await engine?.start();
      // What happens meanwhile waits in their queues: an observer that starts slowly holds nothing up.
      for (const queue of observers.values()) void queue.start();
      // A broker that does not answer must not keep a service waiting.
      const opened = transports.start();
      await services.start();
      await opened;
      stalls = watchStalls({
        meter: parts.blocking.meter,
        nowMs: () => clock.nowMs(),
        look: lookAtThread,
        record: (what, details) => timeline.record("stall", what, [], details),
      });
      changed();
    },
    async stop() {
      timeline.record("stop", "the node process was asked to end", ["R12"]);
      await letGo();
      await demote();
      clearInterval(reportTimer);
      stalls?.stop();
      pulse.close();
      await Promise.all([arbiters.stop(), fences.stop()]);
      await services.stop();
      await transports.stop();
      await bounded(async () => engine?.stop(), stopLimitMs);
      await Promise.all([...observers.values()].map((queue) => queue.stop()));
      await bounded(() => link.close(), stopLimitMs);
      await control?.close();
      await bounded(() => timeline.close(), stopLimitMs);
    },
    status,
  };
}
