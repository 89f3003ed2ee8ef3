/**
 * What each kind of plugin is: the interfaces the core calls, with every guarantee both sides give. A plugin is a
 * value made by `definePlugin`; nothing here is inherited from.
 *
 * Guarantees of the core towards every plugin (all of them, with what follows from a breach: PLUGINS.md): `create` does
 * no I/O; `start` is called once, before anything else, under a deadline (10 s), and again only of a service whose start
 * failed; `stop` is called once, last, under a deadline (5 s), also after a failed start and without any. Methods said
 * to be synchronous must return within a millisecond and never throw.
 * They are measured: what throws is dropped and named (PLUGIN_MISBEHAVES), an alarm names who blocks (PLUGIN_BLOCKS), and a
 * transport in pulse that blocks is taken out of service while another path works.
 * A promise that is not settled by its deadline counts as `unknown`, never as success.
 */

/** `confirmed`: the world was asked and agrees. `refused`: it certainly did not happen. `unknown`: anything else. */
export type Outcome = "confirmed" | "refused" | "unknown";

export type PluginKind = "transport" | "address" | "store" | "service" | "arbiter" | "fence" | "observer";

/** Which process a plugin runs in: `pulse` decides and must never block, `node` may be slow. Stores run in node's session thread. */
export type HostProcess = "pulse" | "node";

export type Side = "primary" | "secondary";

/** `client`: the network the clients use. `private`: a network or cable of the pair. `out-of-band`: anything else. */
export type PathClass = "client" | "private" | "out-of-band";

// ---------------------------------------------------------------------------------------------------- transport

/** Where the peer's kernel can be probed along a path (rule R9); absent where a path is no IP network. */
export interface ProbeTarget {
  readonly localAddress: string;
  readonly peerAddress: string;
  /** The interface the local address is on, as the kernel names it; undefined when it could not be found. */
  readonly interfaceName: string | undefined;
}

/** Carries opaque frames to the peer, best effort: frames may be lost, doubled, reordered, never altered unseen. */
export interface Transport {
  /**
   * Opens the path and delivers each arriving frame, 1 to 512 bytes, which the core has read when `receive` returns.
   * `receive` may be called at any time until `stop` settles. Settles without the peer, who may not be there yet.
   */
  start(receive: (frame: Uint8Array) => void): Promise<void>;
  /**
   * Hands one frame (at most 512 bytes) to the path; the bytes are the transport's own from here on. Synchronous, never
   * throws, never queues without bound.
   */
  send(frame: Uint8Array): void;
  stop(): Promise<void>;
  /** Present on IP paths. Asked again after every interface change. */
  probeTarget?(): ProbeTarget | undefined;
  /** One line for status: "10.0.0.2:6940 -> 10.0.0.3:6940 on eth0", or why the path is down. Synchronous. */
  describe(): string;
}

// ---------------------------------------------------------------------------------------------------- address

/** One protection that keeps a dead or hung node from answering (G2); shown by status. */
export interface Protection {
  /** "kernel-lease", "pipe-guard", "valid-lifetime", "silence-guard", "claim-frame", "real-time", "hardware-watchdog" */
  readonly name: string;
  readonly inForce: boolean;
  /** Why it is not in force, or how it is, one line. */
  readonly detail: string;
}

/** The kernel's right to answer is deleted by a beat that carries this (rule R5). */
export interface ClaimToken {
  readonly epoch: number;
  /** 16 bytes, at a fixed offset of every beat of that epoch: see heartbeat/beat.ts. */
  readonly token: Uint8Array;
}

export interface AddressAnswer {
  readonly address: string;
  /** Lower case, with colons. */
  readonly mac: string;
  readonly interfaceName: string;
  readonly from: "peer" | "stranger" | "unknown";
}

/**
 * Whether the machines of the segment reach this one at the HA addresses: `agreed` when all that were heard lately have
 * answered to them, `disagreed` when one has not, `unknown` when nobody is heard who could.
 */
export type SegmentAgreement = "agreed" | "disagreed" | "unknown";

/** What an address backend tells the core, whenever it notices. Every call is synchronous and cheap. */
export interface AddressReports {
  /** Somebody else removed an HA address that we hold. */
  addressRemoved(address: string): void;
  /** Somebody else added an HA address to this machine while we do not hold it. */
  addressAdded(address: string): void;
  /** A machine that is not us answered for the HA address: the peer, a stranger, or one we cannot tell. */
  addressAnswered(answer: AddressAnswer): void;
  /** A machine that is neither the peer nor us was heard on the segment (proof of our own link, rule R9). */
  neighbourHeard(interfaceName: string): void;
  carrierChanged(interfaceName: string, up: boolean): void;
  /**
   * While the addresses are held, at every change: whether announcing has had its effect (rule R7). While it has not, the
   * core calls `announce` every second; once it has, every `refreshMs`. `detail`: a few words, "3 of 4 neighbours".
   */
  segmentAgreed?(agreement: SegmentAgreement, refreshMs: number, detail: string): void;
  /**
   * The right to answer has ended although the addresses are still held: this node stalled, a claim frame arrived, the
   * lease was dropped, or the interface was away. It stays so until the next `acquire`, however often `renew` is called.
   */
  leaseLapsed?(detail: string): void;
  /** Protections changed, for instance the nftables table was flushed; call `protections()` for the new state. */
  protectionsChanged(detail: string): void;
}

/**
 * Takes and gives up the HA addresses. Several backends form a chain: acquired in order, released in reverse. All
 * methods are idempotent and ask the kernel, not their memory. After `start` a backend in pulse spawns nothing.
 */
export interface AddressBackend {
  /** Prepares everything and leaves every HA address removed from this machine (rule R6). */
  start(reports: AddressReports): Promise<void>;
  /** Takes all HA addresses as one: either all are held at the end or none is. */
  acquire(epoch: number): Promise<Outcome>;
  /** Gives all HA addresses up; `confirmed` only when the kernel said they are gone. */
  release(): Promise<Outcome>;
  /** Asks the kernel whether every HA address is on this machine. */
  holds(): Promise<"held" | "absent" | "unknown">;
  stop(): Promise<void>;
  /** One line for status. */
  describe(): string;

  /**
   * Removes every HA address from this machine although this instance was never started: called in the surviving node
   * process when pulse has died (rule R12). Needs nothing that `start` made, and leaves nothing behind.
   */
  withdraw?(): Promise<Outcome>;
  /** Prolongs the right to answer by one lease, called with every beat of an active node. Synchronous. */
  renew?(): void;
  /**
   * Ends the right to answer now, in the kernel, before the address is removed; an `acquire` still under way begins no
   * lease any more. Synchronous.
   */
  dropLease?(): void;
  /** Tells the kernel which claim tokens end our lease; replaces the earlier set. Synchronous, effective within 5 ms. */
  armClaims?(tokens: readonly ClaimToken[]): void;
  /** Tells the segment where the HA addresses are now: one round of announcements. Synchronous. */
  announce?(): void;
  /** Asks the segment who answers for the HA addresses; answers come as `addressAnswered`. Synchronous. */
  probeAddress?(): void;
  /** Reads what has arrived so far and reports it now; called before silence is judged (rule R10). Synchronous. */
  drain?(): void;
  /** Asks known neighbours and gateways for a sign of life; answers come as `neighbourHeard`. Synchronous. */
  probeNeighbours?(): void;
  protections?(): readonly Protection[];
}

// ---------------------------------------------------------------------------------------------------- service

export type ServiceHealth = "healthy" | "failing" | "stopped";

/** What the pair keeps reachable. Runs in node. */
export interface Service {
  /** Prepares; a warm service starts here, a cold one waits for `promote`. */
  start(): Promise<void>;
  /** This node is active with `epoch`: serve. Idempotent. Called again with a newer epoch without a demote between. */
  promote(epoch: number): Promise<void>;
  /** Answers or cleanly resets what is in flight, then serves no more. Idempotent. Deadline 2 s. */
  demote(): Promise<void>;
  /** Asked every second, deadline 1 s; a timeout is `failing`. */
  health(): Promise<ServiceHealth>;
  stop(): Promise<void>;
  describe(): string;
}

// ---------------------------------------------------------------------------------------------------- arbiter

/** What an arbiter says about one question. */
export interface Ruling {
  /** `granted`: nothing speaks against it. `denied`: something does. `unknown`: nobody could be asked, or in time. */
  readonly verdict: "granted" | "denied" | "unknown";
  /** One sentence for people: who said so, and why. */
  readonly why: string;
  /**
   * A grant of an exclusive arbiter: monotonic milliseconds (capability `clock`) until which nobody else is granted.
   * Reckoned from before the question left, so that a slow answer shortens it. Absent: an advisory arbiter.
   */
  readonly untilMs?: number;
  /**
   * The highest epoch that an exclusive arbiter has granted to anybody, where it knows: a node whose own memory was lost
   * claims above it (rule R16), instead of being denied for ever. Of a granted ruling it is not looked at.
   */
  readonly seenEpoch?: number;
}

/**
 * A third vote on who serves (rule R30). An advisory one may only veto: what it denies is put off, what it cannot tell is
 * not held up. An exclusive one (`exclusive: true` in definePlugin) must grant before this node takes the address, and
 * the node serves no longer than its grant lasts, or as `onArbiterLost` says. Runs in node; several are asked at once.
 */
export interface Arbiter {
  /** One that fails or is late keeps no node from starting: it is asked all the same, and grants what it then grants. */
  start(): Promise<void>;
  /**
   * May this node serve with `epoch`? Asked from the first suspicion on (rule R13), and again for as long as the answer
   * matters; of an exclusive one that has granted it prolongs the grant. An exclusive arbiter never grants two nodes at
   * once, nor an epoch below one that it has granted. Settles within 5 s or when `signal` is aborted, else `unknown`;
   * never called twice at once. A rejection counts as `unknown`.
   */
  ask(epoch: number, signal: AbortSignal): Promise<Ruling>;
  /**
   * Exclusive ones: this node does not serve with `epoch` any more, or will not; the kernel has confirmed that the
   * address is gone. The other node need not wait for the grant to end. Deadline 2 s; a failure costs that wait alone.
   */
  release?(epoch: number): Promise<void>;
  /** Ends a question that is under way. Frees no grant: pulse serves on while node restarts, and asks through the next. */
  stop(): Promise<void>;
  /** One line for status. Synchronous. */
  describe(): string;
}

// ---------------------------------------------------------------------------------------------------- fence

export interface Fenced {
  /** `confirmed` only when whoever switches the power, or the like, said that it is done. A timeout is `unknown`. */
  readonly outcome: Outcome;
  /** One sentence for people. */
  readonly detail: string;
}

/** Makes certain that the other node answers nobody (rule R32). Runs in node; several are tried in their order. */
export interface Fence {
  start(): Promise<void>;
  /**
   * Called once the other node counts as dead, before this one takes the address; never twice at once, again after a
   * failure. Settles within the plugin's own time limit or when `signal` is aborted (120 s), else `unknown`.
   */
  fence(signal: AbortSignal): Promise<Fenced>;
  /** Whether the device could be used now, in one sentence where not: asked every minute, deadline 30 s. */
  check?(signal: AbortSignal): Promise<string | undefined>;
  stop(): Promise<void>;
  /** One line for status. Synchronous. */
  describe(): string;
}

// ---------------------------------------------------------------------------------------------------- observer

/** One entry of the timeline, see node/timeline.ts. */
export interface TimelineEntry {
  /** Wall clock of the node that wrote it, ISO 8601; for people only, nothing is decided by it. */
  readonly at: string;
  readonly node: string;
  /** Monotonic milliseconds of that node, comparable within one boot of it. */
  readonly monotonicMs: number;
  readonly kind: string;
  /** A sentence. */
  readonly what: string;
  /** The rules of DESIGN that decided, such as ["R9", "R13"]. */
  readonly rules: readonly string[];
  readonly details: Readonly<Record<string, unknown>>;
}

/** Told of what happens, in order, one call at a time, never in the way of a takeover. Runs in node. */
export interface Observer {
  start(): Promise<void>;
  /** Entries wait in a queue of 1000; when it is full the oldest are dropped and a count is passed in the next. */
  observe(entry: TimelineEntry): Promise<void>;
  stop(): Promise<void>;
  describe(): string;
}
