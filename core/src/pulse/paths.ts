/**
 * The ways to the other node: beats go out on all of them, and what arrives is decoded, checked and told. A transport
 * runs here, or in the node process with its frames on the pipe; the rest of pulse does not see the difference.
 */

import type { BeatBody } from "../failover/action.js";
import type { Beat } from "../heartbeat/beat.js";
import { claimToken } from "../heartbeat/claim-token.js";
import { createPeerSession, type StaleReason } from "../heartbeat/peer-session.js";
import { beatKeys, decodeBeat, encodeBeat } from "../heartbeat/wire.js";
import type { KeyRing } from "../keys/key-file.js";
import type { PathClass, ProbeTarget, Side, Transport } from "../plugin/contract.js";
import { startPlugin, stopPlugin, type Trouble } from "../plugin/start-stop.js";
import type { Clock, Log } from "../plugin/tokens.js";
import type { Happening } from "./happening.js";
import { createLatencies } from "./latencies.js";

export interface NamedTransport {
  readonly name: string;
  readonly class: PathClass;
  /** Undefined: it runs in the node process. */
  readonly transport: Transport | undefined;
  /** The shortest interval its medium carries, milliseconds; 0 or absent: any. */
  readonly beatIntervalMs?: number;
}

export interface PathsOptions {
  readonly transports: readonly NamedTransport[];
  readonly self: Side;
  readonly nonce: string;
  readonly cluster: string;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly log: Log;
  tell(happening: Happening): void;
  /** Hands a frame to the node process for a transport that runs there. */
  sendThroughNode(path: string, frame: Uint8Array): void;
}

export interface Paths {
  /** Resolves with what could not be started, in words by path; others go on. */
  start(): Promise<ReadonlyMap<string, string>>;
  stop(): Promise<void>;
  send(body: BeatBody, names: readonly string[]): void;
  /** A frame that arrived on a path of the node process. */
  receive(path: string, frame: Uint8Array): void;
  /** Signs with the new ring from now on and accepts all its keys (rule R29). */
  useKeys(ring: KeyRing): void;
  readonly peerKeyIds: ReadonlySet<number>;
  /** Frames that have arrived since the start, whatever they were: what a poll pass delivered (rule R10). */
  readonly delivered: number;
  /** The IP paths and where the peer's kernel is on them. */
  probeTargets(): readonly { readonly path: string; readonly target: ProbeTarget }[];
  describe(path: string): string;
  /** True: in other words than before. */
  describedByNode(path: string, description: string): boolean;
  /** Half the echo age at the median of the last 100 beats. */
  latencyMs(path: string): number | undefined;
}

const startLimitMs = 10_000;
const stopLimitMs = 5000;
const foreignEveryMs = 100;
const noteForMs = 5000;
const logEveryMs = 10_000;

const staleNotes: Readonly<Record<StaleReason, string | undefined>> = {
  "own-side":
    "beats arrive that are signed as this very node: a second machine runs with its name, or a switch reflects them",
  superseded:
    "beats of an earlier start of the other node arrive: they were held up, or somebody replays them",
  // Doubled and overtaken frames are a network's daily life.
  old: undefined,
  unproven: undefined,
};

interface PathState {
  readonly named: NamedTransport;
  started: boolean;
  failure: string | undefined;
  nodeDescription: string | undefined;
  note: { readonly text: string; readonly untilMs: number } | undefined;
  /** When a beat of ours last counted. */
  oursMs: number;
  loggedMs: number;
  foreignMs: number;
  sendComplainedMs: number;
}

export function createPaths(options: PathsOptions): Paths {
  const { clock, log, tell } = options;
  const session = createPeerSession(options.self, options.nonce);
  const latencies = createLatencies();
  const states = new Map<string, PathState>(
    options.transports.map((named) => [named.name, newPathState(named)]),
  );
  let ring = options.keyRing;
  let keys = beatKeys(options.cluster, ring);
  let token: { readonly epoch: number; readonly hex: string } | undefined;
  let delivered = 0;

  function tokenOf(epoch: number): string {
    if (token?.epoch !== epoch) {
      const key = ring.keys.find(({ id }) => id === ring.signWith);
      if (key === undefined) throw new Error(`no key ${ring.signWith} to sign with`);
      token = { epoch, hex: Buffer.from(claimToken(key, options.cluster, epoch)).toString("hex") };
    }
    return token.hex;
  }

  function note(state: PathState, text: string, nowMs: number): void {
    state.note = { text, untilMs: nowMs + noteForMs };
    if (nowMs - state.loggedMs < logEveryMs) return;
    state.loggedMs = nowMs;
    log.warn({ path: state.named.name, reason: text }, "beats that do not count arrive");
  }

  function receive(path: string, frame: Uint8Array): void {
    delivered += 1;
    const state = states.get(path);
    if (state === undefined || !state.started) return;
    const nowMs = clock.nowMs();
    const decoded = decodeBeat(frame, keys);
    if (decoded.kind === "beat") {
      const verdict = session.accept(path, decoded.beat, decoded.keyId, nowMs);
      if (!verdict.fresh) {
        const text = staleNotes[verdict.reason];
        if (text !== undefined) note(state, text, nowMs);
        return;
      }
      state.oursMs = nowMs;
      const { echoAgeMs } = verdict;
      if (echoAgeMs !== undefined) latencies.add(path, echoAgeMs);
      tell({ type: "beatReceived", path, beat: decoded.beat, echoAgeMs });
    } else {
      // Several pairs may share a medium; only where ours is not heard may a cluster be misnamed.
      if (decoded.kind === "other-cluster" && nowMs - state.oursMs < noteForMs) return;
      note(state, decoded.reason, nowMs);
      if (decoded.kind !== "foreign" || nowMs - state.foreignMs < foreignEveryMs) return;
      state.foreignMs = nowMs;
      tell({ type: "foreignBeatReceived", path });
    }
  }

  function sendOn(state: PathState, body: BeatBody, hex: string | undefined): void {
    const { name, transport } = state.named;
    const nowMs = clock.nowMs();
    const beat: Beat = { sender: options.self, ...body, ...session.stamp(name, nowMs), claimToken: hex };
    const frame = encodeBeat(beat, keys);
    if (transport === undefined) {
      options.sendThroughNode(name, frame);
      return;
    }
    try {
      transport.send(frame);
    } catch (error) {
      if (nowMs - state.sendComplainedMs < logEveryMs) return;
      state.sendComplainedMs = nowMs;
      log.error({ path: name, error }, "a transport threw where it must not");
    }
  }

  return {
    async start() {
      const failures = new Map<string, string>();
      await Promise.all(
        [...states.values()].map(async (state) => {
          const trouble = await startPath(state, (frame) => receive(state.named.name, frame));
          if (trouble === undefined) return;
          failures.set(state.named.name, trouble.reason);
          log.error({ path: state.named.name, ...trouble }, "a transport did not start");
        }),
      );
      return failures;
    },
    async stop() {
      await Promise.all(
        [...states.values()].map(async ({ named: { name, transport } }) => {
          if (transport === undefined) return;
          const trouble = await stopPlugin(() => transport.stop(), stopLimitMs);
          if (trouble !== undefined) log.error({ path: name, ...trouble }, "a transport did not stop");
        }),
      );
    },
    send(body, names) {
      const serves = body.role === "claiming" || body.role === "active";
      const hex = serves ? tokenOf(body.epoch) : undefined;
      for (const name of names) {
        const state = states.get(name);
        if (state?.started === true) sendOn(state, body, hex);
      }
    },
    receive,
    useKeys(changed) {
      ring = changed;
      keys = beatKeys(options.cluster, changed);
      token = undefined;
    },
    get peerKeyIds() {
      return session.peerKeyIds;
    },
    get delivered() {
      return delivered;
    },
    probeTargets() {
      const targets: { path: string; target: ProbeTarget }[] = [];
      for (const { named, started } of states.values()) {
        const target = started ? named.transport?.probeTarget?.() : undefined;
        if (target !== undefined) targets.push({ path: named.name, target });
      }
      return targets;
    },
    describe(path) {
      const state = states.get(path);
      if (state === undefined) return "not known";
      const noted = state.note !== undefined && state.note.untilMs > clock.nowMs() ? state.note.text : "";
      return `${describePath(state)}${noted === "" ? "" : ` (${noted})`}`;
    },
    describedByNode(path, description) {
      const state = states.get(path);
      if (state === undefined || state.nodeDescription === description) return false;
      state.nodeDescription = description;
      return true;
    },
    latencyMs: (path) => latencies.medianMs(path),
  };
}

function newPathState(named: NamedTransport): PathState {
  return {
    named,
    started: false,
    failure: undefined,
    nodeDescription: undefined,
    note: undefined,
    oursMs: -Infinity,
    loggedMs: -Infinity,
    foreignMs: -Infinity,
    sendComplainedMs: -Infinity,
  };
}

async function startPath(
  state: PathState,
  receive: (frame: Uint8Array) => void,
): Promise<Trouble | undefined> {
  const { transport } = state.named;
  const trouble =
    transport === undefined ? undefined : await startPlugin(() => transport.start(receive), startLimitMs);
  state.started = trouble === undefined;
  state.failure = trouble?.reason;
  return trouble;
}

function describePath(state: PathState): string {
  if (state.failure !== undefined) return `not started: ${state.failure}`;
  const { transport } = state.named;
  if (transport === undefined)
    return state.nodeDescription ?? "runs in the node process, which is not there yet";
  return transport.describe();
}
