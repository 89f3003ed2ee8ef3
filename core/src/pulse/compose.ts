/**
 * Builds pulse out of plugins that are made already, and starts it in the order that rule R6 demands: the address is off
 * this machine before anything is heard or said.
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { LocalConfig } from "../config/config.js";
import { UnderstudyError } from "../errors/error.js";
import { pulseError } from "../errors/pulse.js";
import type { Settings } from "../failover/settings.js";
import { initialState, type State } from "../failover/state.js";
import type { PulseStatus } from "../ipc/messages.js";
import type { SystemdNotify } from "../ipc/sd-notify.js";
import type { KeyRing } from "../keys/key-file.js";
import type { Protection } from "../plugin/contract.js";
import type { Clock, Log } from "../plugin/tokens.js";
import { type AddressChain, createAddressChain, type NamedBackend } from "./address-chain.js";
import { createAddressReports } from "./address-reports.js";
import { createConduct } from "./conduct.js";
import { type EpochFile, epochFilePath, openEpochFile } from "./epoch-file.js";
import { createHaInterfaces } from "./ha-interfaces.js";
import type { Happening } from "./happening.js";
import { createKernelProbe, probePortOffset } from "./kernel-probe.js";
import { createLoop, type Loop } from "./loop.js";
import { createNodeLink } from "./node-link.js";
import { createNodeMessages } from "./node-messages.js";
import { createPaths, type NamedTransport } from "./paths.js";
import { createPerformer } from "./perform.js";
import { createRecorder } from "./recorder.js";
import { createReloading } from "./reload.js";
import { type PluginFacts, settingsOf } from "./settings.js";
import { createStatusReport, pulseStatus } from "./status-report.js";
import { createPulseTimeline } from "./timeline.js";
import { createUndo } from "./undo.js";
import type { Watchdog } from "./watchdog.js";

export interface PulseParts {
  readonly local: LocalConfig;
  readonly keyRing: KeyRing;
  /** In the order of the config. */
  readonly transports: readonly NamedTransport[];
  readonly address: readonly NamedBackend[];
  /** In the order of the config; they run in node. Absent: none. */
  readonly arbiters?: Settings["arbiters"];
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Of the process itself: real-time scheduling. */
  readonly protections: readonly Protection[];
  readonly notify: SystemdNotify;
  /** Opens the hardware watchdog (rule R4); undefined: the config names none. Must not throw. */
  readonly openWatchdog?: ((changed: (detail: string) => void) => Promise<Watchdog>) | undefined;
  loadConfig(): Promise<LocalConfig>;
  readKeys(): KeyRing;
  /** A changed config is in force: the log level is not pulse's own. */
  configChanged(local: LocalConfig): void;
}

export interface Pulse {
  readonly state: State;
  status(): PulseStatus;
  /** Hands over or releases, says goodbye; then `ended` resolves. */
  stop(): void;
  readonly ended: Promise<void>;
  /** For a process that ends here and now: the recording goes to disk. Synchronous, never throws. */
  lastWords(): void;
  /** Closes everything without release and goodbye, as a crash would. */
  abandon(): Promise<void>;
}

export function pulseSocketPath(runFolder: string): string {
  return join(runFolder, "pulse.sock");
}

export function recordingFolder(stateFolder: string): string {
  return join(stateFolder, "recording");
}

function factsOf({ arbiters = [], transports }: PulseParts, address: AddressChain): PluginFacts {
  const beatIntervals = new Map(transports.map(({ name, beatIntervalMs }) => [name, beatIntervalMs ?? 0]));
  return { canProbeAddress: address.canProbe, arbiters, beatIntervals };
}

/** A path on which so many beats in a row are missing is not counted on. */
const beatsMissed = 3;

function intervalOf(settings: State["settings"] | undefined, path: string): number {
  return settings?.paths.find(({ name }) => name === path)?.intervalMs ?? settings?.intervalMs ?? 0;
}

type Assembly = ReturnType<typeof assemble>;

/** Everything that can be made before anything has been touched. */
function assemble(parts: PulseParts, nonce: string) {
  const { local, log, clock } = parts;
  const { config, self } = local;
  const mailbox = createMailbox();
  const { tell } = mailbox;
  /** Who has to hear that status shows something else, beside what the core's state says. */
  const statusUsers: (() => void)[] = [];
  const shownChanged = () => {
    for (const use of statusUsers) use();
  };
  const timeline = createPulseTimeline({
    node: self.name,
    log,
    write(entry) {
      node.timeline(entry);
      shownChanged();
    },
  });
  const reports = createAddressReports(createHaInterfaces(config.haAddresses), clock, {
    tell,
    protectionsChanged: (detail) => timeline.record(clock.nowMs(), "protections", detail, ["R4"]),
  });
  const conduct = createConduct({
    ...parts,
    timeline,
    blocked: (news) => tell({ type: "pluginBlocked", ...news }),
    worksWithinMs: (path) => beatsMissed * intervalOf(mailbox.loop?.state.settings, path),
  });
  const address = createAddressChain(conduct.address, reports, log);
  const paths = createPaths({
    transports: conduct.transports,
    self: self.side,
    nonce,
    cluster: config.cluster,
    keyRing: parts.keyRing,
    clock,
    log,
    tell(happening) {
      if (happening.type === "beatReceived") conduct.heard(happening.path);
      tell(happening);
    },
    sendThroughNode: (path, frame) => node.frame(path, frame, clock.nowMs()),
  });
  const node = createNodeLink(
    parts.version,
    {
      message: (message) => messages(message),
      alive: () => {
        const report = mailbox.loop?.state.report;
        if (report !== undefined) tell({ type: "nodeReported", report });
      },
      lost: () => tell({ type: "nodeLost" }),
      finished: (id, outcome, detail) => tell({ type: "actionFinished", id, outcome, detail }),
    },
    log,
  );
  const keyUsers: ((ring: KeyRing) => void)[] = [paths.useKeys];
  const reloading = createReloading({
    ...parts,
    timeline,
    useConfig(changed) {
      parts.configChanged(changed);
      tell({ type: "settingsChanged", settings: settingsOf(changed, factsOf(parts, address)) });
    },
    useKeys: (ring) => {
      for (const use of keyUsers) use(ring);
    },
  });
  const messages = createNodeMessages({ node, paths, reloading, tell, pathDescribed: shownChanged });
  return { mailbox, timeline, conduct, address, paths, node, keyUsers, statusUsers };
}

/** Throws an UnderstudyError of errors/pulse.ts or errors/ipc.ts; everything it had started is stopped then. */
export async function startPulse(parts: PulseParts): Promise<Pulse> {
  const nonce = randomBytes(8).toString("hex");
  const undo = createUndo(parts.log);
  try {
    const assembly = assemble(parts, nonce);
    undo.add(async () => assembly.conduct.close());
    // First, because it also keeps a second pulse from taking the address off a machine on which one runs.
    await assembly.node.listen(pulseSocketPath(parts.local.config.folders.run));
    undo.add(() => assembly.node.close());
    const epochFile = await prepare(parts, assembly, undo.add);
    // Last, for opening it starts it: a start that fails must not end in a reset.
    const watchdog = await parts.openWatchdog?.((detail) =>
      assembly.timeline.record(parts.clock.nowMs(), "protections", detail, ["R4"]),
    );
    undo.add(async () => watchdog?.disarm());
    return run(parts, assembly, { nonce, epochFile, watchdog, undo });
  } catch (error) {
    await undo.all();
    throw error;
  }
}

/** Everything that takes time: backends, disk and sockets. */
async function prepare(
  parts: PulseParts,
  { address, paths, timeline }: Assembly,
  undo: (close: () => Promise<void>) => void,
): Promise<EpochFile> {
  const { local, clock } = parts;
  const { config, self } = local;
  undo(() => address.stop());
  await address.start().catch((cause: unknown) => {
    if (cause instanceof UnderstudyError) throw cause;
    throw pulseError("ADDRESS_NOT_READY", (cause as Error).message, { cause });
  });
  const owner = `${config.cluster}/${self.name}`;
  const epochFile = await openEpochFile(epochFilePath(config.folders.state), owner);
  undo(() => epochFile.close());
  if (epochFile.damage !== undefined) timeline.record(clock.nowMs(), "epoch", epochFile.damage, ["R16"]);
  undo(() => paths.stop());
  const failures = await paths.start();
  const words = [...failures].map(([path, why]) => `${path}: ${why}`).join("; ");
  if (failures.size === parts.transports.length)
    throw pulseError("NO_PATH", `no path to the other node could be opened: ${words}`);
  if (failures.size > 0)
    timeline.record(clock.nowMs(), "path", `a path could not be opened: ${words}`, ["R8"]);
  return epochFile;
}

interface Prepared {
  readonly nonce: string;
  readonly epochFile: EpochFile;
  readonly watchdog: Watchdog | undefined;
  readonly undo: ReturnType<typeof createUndo>;
}

/** From here on all is synchronous until the first beat is out. */
function run(parts: PulseParts, assembly: Assembly, { nonce, epochFile, watchdog, undo }: Prepared): Pulse {
  const { local, log, clock, notify } = parts;
  const { mailbox, timeline, address, paths, node, keyUsers, statusUsers } = assembly;
  const { tell } = mailbox;
  const ended = Promise.withResolvers<void>();
  const initial = initialState(settingsOf(local, factsOf(parts, address)));
  const recorder = createRecorder({
    folder: recordingFolder(local.config.folders.state),
    node: local.self.name,
    software: parts.version,
    initial,
    log,
  });
  undo.add(() => recorder.close());
  const probe = createKernelProbe(local.config.heartbeat.port + probePortOffset);
  const performer = createPerformer({
    cluster: local.config.cluster,
    keyRing: parts.keyRing,
    paths,
    address,
    epochFile,
    probe,
    node,
    timeline,
    tell,
    stopped() {
      // The core stops only when the kernel has confirmed that nothing is held; what follows may take its time.
      watchdog?.disarm();
      void close().then(ended.resolve);
    },
  });
  keyUsers.push(performer.useKeys);
  const status = () =>
    pulseStatus(loop.state, clock.nowMs(), {
      paths,
      address: address.describe,
      protections: () => [
        ...address.protections(),
        ...parts.protections,
        ...(watchdog === undefined ? [] : [watchdog.protection()]),
      ],
    });
  const report = createStatusReport({ status, node, notify });
  statusUsers.push(report.soon);
  const loop = createLoop({
    initial,
    clock,
    perform: performer.perform,
    delivered: () => paths.delivered,
    drain: () => address.drain(),
    stepped(event, actions, state) {
      recorder.record(event, actions, state);
      report.stepped(state);
    },
    judged(atMs) {
      report.judged(atMs);
      watchdog?.judged(atMs, loop.state.role, loop.state.roleSinceMs);
      node.judged(atMs, loop.state.settings.hangLimitMs);
    },
  });
  async function close(): Promise<void> {
    loop.end();
    report.close();
    probe.close();
    notify.stopping();
    await undo.all();
  }
  const { epoch, intents } = epochFile.initial;
  mailbox.open(loop, { type: "started", nonce, epoch, intents });
  notify.ready(`started, epoch ${epoch}`);
  return {
    get state() {
      return loop.state;
    },
    status,
    stop: () => tell({ type: "stopAsked" }),
    ended: ended.promise,
    lastWords: () => recorder.flushNow(),
    abandon() {
      watchdog?.abandon();
      return close();
    },
  };
}

/** What is told before the core runs waits for it: a node process that connects early, a backend that reports. */
function createMailbox() {
  const early: Happening[] = [];
  let loop: Loop | undefined;
  return {
    get loop() {
      return loop;
    },
    tell(happening: Happening): void {
      if (loop === undefined) early.push(happening);
      else loop.tell(happening);
    },
    open(opened: Loop, first: Happening): void {
      loop = opened;
      loop.tell(first);
      for (const happening of early.splice(0)) loop.tell(happening);
    },
  };
}
