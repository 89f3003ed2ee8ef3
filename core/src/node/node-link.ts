/**
 * The link between the two node processes' main threads: goodbyes, role questions, timelines, tokens, keys and clocks.
 * Owns what is asked and not yet answered; what a message means is its owner's business.
 */

import type { Clock, Log } from "../plugin/tokens.js";
import { betterOffset, type ClockOffset, offsetOf } from "./clock-offset.js";
import { decodeNodeLinkMessage, encodeNodeLinkMessage, type NodeLinkMessage } from "./node-link-messages.js";
import type { LinkKey, PeerLink, PeerLinkListeners } from "./peer-link.js";
import { asEntry } from "./timeline-file.js";
import type { KeptEntry } from "./timeline-merge.js";
import type { TokenRecord } from "./token-set.js";

export interface PeerRole {
  readonly active: boolean;
  readonly epoch: number;
}

export interface PeerKeys {
  readonly ids: readonly number[];
  readonly signWith: number;
}

export interface PeerHello {
  readonly node: string;
  readonly version: string;
  readonly boot: string;
  readonly configDigest: string;
}

export interface MeasuredOffset extends ClockOffset {
  readonly atMs: number;
}

export interface NodeLink {
  readonly isUp: boolean;
  /** Undefined until the other node has said it. */
  readonly peer: PeerHello | undefined;
  readonly peerKeys: PeerKeys | undefined;
  readonly offset: MeasuredOffset | undefined;
  /** Undefined when it does not answer within `limitMs` or does not know. */
  askRole(limitMs: number): Promise<PeerRole | undefined>;
  /** Undefined when it does not answer in time. */
  askTimeline(limit: number): Promise<readonly KeptEntry[] | undefined>;
  /** False: the link is down, nobody was told. */
  sayGoodbye(epoch: number): boolean;
  sendTokens(records: readonly TokenRecord[]): void;
  setKeys(keys: readonly LinkKey[], signWith: number): void;
  describe(): string;
  close(): Promise<void>;
}

export interface NodeLinkOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Said anew at every opening. */
  hello(): PeerHello;
  keys(): PeerKeys;
  tokens(): readonly TokenRecord[];
  timeline(limit: number): readonly KeptEntry[];
  /** What this node's pulse is, if it has said so lately. */
  ownRole(): PeerRole | undefined;
  makeLink(listeners: PeerLinkListeners): PeerLink;
  readonly listeners: {
    upChanged(up: boolean, why: string): void;
    goodbye(epoch: number): void;
    tokens(records: readonly TokenRecord[]): void;
    offsetMeasured(offset: MeasuredOffset, peer: PeerHello): void;
  };
}

/** Five questions at the opening and five a little later, when less is going on; then now and then, since clocks drift. */
const clockBurst = 5;
const secondBurstMs = 1000;
const clockEveryMs = 10_000;
const timelineLimitMs = 1000;
const mostTimelineBytes = 4 * 1024 * 1024;

export function createNodeLink(options: NodeLinkOptions): NodeLink {
  const { clock, log, listeners } = options;
  const waiting = new Map<number, (answer: NodeLinkMessage | undefined) => void>();
  let nextId = 1;
  let up = false;
  let where = "";
  let whyDown = "connecting";
  let peer: PeerHello | undefined;
  let peerKeys: PeerKeys | undefined;
  let offset: MeasuredOffset | undefined;
  let clockTimer: NodeJS.Timeout | undefined;
  let secondBurst: NodeJS.Timeout | undefined;
  let burstLeft = 0;

  function send(message: NodeLinkMessage): boolean {
    return up && link.send(encodeNodeLinkMessage(message));
  }

  function ask(make: (id: number) => NodeLinkMessage, limitMs: number): Promise<NodeLinkMessage | undefined> {
    const id = nextId++;
    const answer = Promise.withResolvers<NodeLinkMessage | undefined>();
    const timer = setTimeout(() => answer.resolve(undefined), limitMs);
    waiting.set(id, answer.resolve);
    if (!send(make(id))) answer.resolve(undefined);
    return answer.promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(id);
    });
  }

  function askClock(): void {
    send({ type: "clockQuestion", id: nextId++, sentMs: clock.nowMs() });
  }

  function askClocks(): void {
    burstLeft = clockBurst;
    for (let left = clockBurst; left > 0; left -= 1) askClock();
  }

  function stopAskingClocks(): void {
    clearInterval(clockTimer);
    clearTimeout(secondBurst);
  }

  function opened(info: { readonly local: string; readonly remote: string }): void {
    up = true;
    where = `${info.local} to ${info.remote}`;
    // It may be another boot with another clock: its hello is the first thing it says.
    offset = undefined;
    peer = undefined;
    const { ids, signWith } = options.keys();
    send({ type: "hello", ...options.hello() });
    send({ type: "keys", ids: [...ids], signWith });
    send({ type: "tokens", tokens: [...options.tokens()] });
    askClocks();
    stopAskingClocks();
    secondBurst = setTimeout(askClocks, secondBurstMs);
    clockTimer = setInterval(askClock, clockEveryMs);
    listeners.upChanged(true, where);
  }

  function closed(reason: string): void {
    whyDown = reason;
    stopAskingClocks();
    for (const answer of waiting.values()) answer(undefined);
    if (!up) return;
    up = false;
    // After its next start it may hold other keys, and may have signed with none of them.
    peerKeys = undefined;
    listeners.upChanged(false, reason);
  }

  function heardClock(sentMs: number, peerMs: number): void {
    const receivedMs = clock.nowMs();
    if (sentMs > receivedMs || peer === undefined) return;
    offset = betterOffset(offset, { ...offsetOf({ sentMs, receivedMs, peerMs }), atMs: receivedMs });
    burstLeft -= 1;
    // The first answers are slow, while everything else is being said: the best of all counts.
    if (burstLeft <= 0) listeners.offsetMeasured(offset, peer);
  }

  function received(message: NodeLinkMessage): void {
    switch (message.type) {
      case "hello":
        peer = message;
        return;
      case "keys":
        peerKeys = message;
        return;
      case "roleQuestion": {
        const role = options.ownRole();
        send({
          type: "roleAnswer",
          id: message.id,
          known: role !== undefined,
          active: role?.active ?? false,
          epoch: role?.epoch ?? 0,
        });
        return;
      }
      case "goodbye":
        listeners.goodbye(message.epoch);
        return;
      case "clockQuestion":
        send({ type: "clockAnswer", id: message.id, sentMs: message.sentMs, atMs: clock.nowMs() });
        return;
      case "clockAnswer":
        heardClock(message.sentMs, message.atMs);
        return;
      case "timelineQuestion":
        send({
          type: "timelineAnswer",
          id: message.id,
          entries: [...fitting(options.timeline(message.limit))],
        });
        return;
      case "tokens":
        listeners.tokens(message.tokens);
        return;
      case "roleAnswer":
      case "timelineAnswer":
        waiting.get(message.id)?.(message);
        return;
    }
  }

  const link = options.makeLink({
    opened,
    closed,
    drained: () => {},
    failed(reason) {
      whyDown = reason;
    },
    message(bytes) {
      const message = decodeNodeLinkMessage(bytes);
      if (message === undefined) log.debug({ bytes: bytes.length }, "the other node said something unknown");
      else received(message);
    },
  });

  return {
    get isUp() {
      return up;
    },
    get peer() {
      return peer;
    },
    get peerKeys() {
      return peerKeys;
    },
    get offset() {
      return offset;
    },
    async askRole(limitMs) {
      const answer = await ask((id) => ({ type: "roleQuestion", id }), limitMs);
      if (answer?.type !== "roleAnswer" || !answer.known) return undefined;
      return { active: answer.active, epoch: answer.epoch };
    },
    async askTimeline(limit) {
      const answer = await ask((id) => ({ type: "timelineQuestion", id, limit }), timelineLimitMs);
      if (answer?.type !== "timelineAnswer") return undefined;
      return answer.entries.flatMap((entry) => asEntry(entry) ?? []);
    },
    sayGoodbye: (epoch) => send({ type: "goodbye", epoch }),
    sendTokens: (records) => void send({ type: "tokens", tokens: [...records] }),
    setKeys(keys, signWith) {
      link.setKeys(keys, signWith);
      send({ type: "keys", ids: keys.map(({ id }) => id), signWith });
    },
    describe: () => (up ? `connected, ${where}` : `not connected: ${whyDown}`),
    close() {
      stopAskingClocks();
      return link.close();
    },
  };
}

/** The newest entries that one message holds. */
function fitting(entries: readonly KeptEntry[]): readonly KeptEntry[] {
  let bytes = 0;
  let first = entries.length;
  for (const [index, entry] of [...entries.entries()].reverse()) {
    bytes += JSON.stringify(entry).length;
    if (bytes > mostTimelineBytes) break;
    first = index;
  }
  return entries.slice(first);
}
