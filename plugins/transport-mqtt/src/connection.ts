/**
 * One connection to one broker, from the first packet to its end: it subscribes, sends, and notices a broker that fell
 * silent. It never comes back by itself; whoever made it makes the next one.
 */

import type { IClientPublishOptions, ISubscriptionMap, MqttClient, Packet } from "mqtt";
import type { Credentials } from "./credentials.js";
import type { Names } from "./names.js";
import { goneExpiresS, hereExpiresS, type PresenceState, presenceText, readPresence } from "./presence.js";
import { passing, refused, type Trouble, takenOver, troubleOf, troubleOfCode } from "./reasons.js";
import type { BrokerSocket } from "./socket.js";

export interface Setup {
  readonly Client: typeof MqttClient;
  readonly socket: BrokerSocket;
  readonly names: Names;
  readonly nodeName: string;
  /** Of this path in this process, see presence.ts. */
  readonly instance: string;
  readonly credentials: Credentials;
  /** We have said at this broker before that we are here: only another of our name can have said anything since. */
  readonly returning: boolean;
  /** A broker that answers nothing for this long is gone. */
  readonly silenceMs: number;
}

export interface Listeners {
  /** The broker has taken us in. */
  welcomed(): void;
  /** Both subscriptions stand: beats go both ways from now on. */
  up(): void;
  beat(frame: Uint8Array): void;
  presence(state: PresenceState): void;
  /** What the broker said of our last beat that it had to acknowledge; undefined: it passed it on. */
  answered(problem: string | undefined): void;
  /** Once, at the end, unless `leave` or `drop` was called before. */
  down(trouble: Trouble): void;
}

export interface Connection {
  /** Synchronous, never throws, drops what cannot go out now. */
  send(frame: Uint8Array): void;
  /** Says goodbye; settles when the connection is closed, or cut off after a while. */
  leave(): Promise<void>;
  drop(): void;
}

const longestFrame = 512;
/** What the kernel does not take at once is old by the time it would: a few beats may wait, no more. */
const mostWaitingBytes = 8 * longestFrame;
/** Packets that are larger are not for us; the broker discards them (MQTT 5, 3.1.2.11.4). */
const largestPacket = 4096;
/** A beat that a broker could not pass on within a second is no news any more. */
const beatExpiresS = 1;
const pingsInSilence = 3;
/** Every so often the broker must acknowledge a beat, because it may discard the others without a word. */
const askEveryMs = 20_000;
const askAgainMs = 2000;
const leaveWithinMs = 500;
/** PUBACK: accepted, and nobody listens (MQTT 5, 3.4.2.1). */
const noSubscribers = 16;
/** Much more than the largest packet, because one read may bring many. */
const mostUnreadBytes = 256 * 1024;

export function openConnection(setup: Setup, listeners: Listeners): Connection {
  const { names, socket, silenceMs } = setup;
  const client = new setup.Client(() => socket.stream, {
    protocolVersion: 5,
    clientId: names.clientId,
    clean: true,
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    // Pings are ours: those of the library stop while beats are sent, and nobody acknowledges those.
    keepalive: Math.max(2, Math.ceil(silenceMs / 1000)),
    reschedulePings: false,
    timerVariant: "native",
    connectTimeout: 60_000,
    properties: { sessionExpiryInterval: 0, maximumPacketSize: largestPacket },
    ...(setup.credentials.user === undefined ? {} : { username: setup.credentials.user }),
    ...(setup.credentials.password === undefined ? {} : { password: setup.credentials.password }),
    will: {
      topic: names.ourPresence,
      payload: Buffer.from(presenceText(setup.nodeName, { state: "lost", instance: setup.instance })),
      qos: 1,
      retain: true,
      properties: { messageExpiryInterval: goneExpiresS },
    },
  });
  let ended = false;
  let isUp = false;
  let unanswered = 0;
  let pings: NodeJS.Timeout | undefined;
  let saidHereMs = Number.NEGATIVE_INFINITY;
  let askedMs = Number.NEGATIVE_INFINITY;
  let asking = false;
  let askAfterMs = 0;
  /** The reason code of the last acknowledgement; only beats are sent to be acknowledged, one at a time. */
  let acknowledged = 0;
  let unreadBytes = 0;
  /** Another process has said on our own topic that it is this node. */
  let rival = false;

  function end(): boolean {
    if (ended) return false;
    ended = true;
    isUp = false;
    clearInterval(pings);
    return true;
  }

  function fail(trouble: Trouble): void {
    if (!end()) return;
    socket.reset();
    listeners.down(trouble);
  }

  /** The broker ended it without a reason: after we have seen another in our place, that is the reason. */
  function cut(trouble: Trouble): void {
    fail(rival && trouble.kind === "passing" ? takenOver : trouble);
  }

  function subscribe(): void {
    const wanted: ISubscriptionMap = {
      // Never what is retained: whatever it is, it is no life (2: send no retained messages).
      [names.theirBeats]: { qos: 0, rh: 2, rap: true, nl: true },
      [names.theirPresence]: { qos: 0, rh: 0, rap: true, nl: true },
      [names.ourPresence]: { qos: 0, rh: 0, rap: true, nl: true },
    };
    client.subscribe(wanted, (error, _granted, packet) => {
      if (ended) return;
      const [ofBeats, ofPresence] = (packet?.granted ?? []).map(Number);
      // Presence is text for people, and a path without it is as good.
      if (ofBeats !== undefined && ofBeats >= 128) {
        fail(refused(`it refuses us the topic ${names.theirBeats} (${ofBeats})`));
      } else if (error && ofPresence === undefined) {
        fail(troubleOf(error));
      } else {
        isUp = true;
        listeners.up();
        sayPresence("here");
      }
    });
  }

  function sayPresence(state: PresenceState): void {
    saidHereMs = performance.now();
    const expiresS = state === "here" ? hereExpiresS : goneExpiresS;
    const options: IClientPublishOptions = {
      qos: 0,
      retain: true,
      properties: { messageExpiryInterval: expiresS },
    };
    const said = presenceText(setup.nodeName, { state, instance: setup.instance });
    client.publish(names.ourPresence, said, options);
  }

  function ping(): void {
    if (unanswered >= pingsInSilence) {
      fail(passing(`it has answered nothing for ${silenceMs / 1000} s`));
      return;
    }
    unanswered += 1;
    client.sendPing();
    if (isUp && performance.now() - saidHereMs > (hereExpiresS * 1000) / 3) sayPresence("here");
  }

  function ask(frame: Buffer): void {
    asking = true;
    askedMs = performance.now();
    const options: IClientPublishOptions = { qos: 1, properties: { messageExpiryInterval: beatExpiresS } };
    client.publish(names.ourBeats, frame, options, () => {
      asking = false;
      if (ended) return;
      const problem = problemWith(acknowledged, names.ourBeats);
      askAfterMs = problem === undefined ? askEveryMs : askAgainMs;
      listeners.answered(problem);
    });
  }

  client.on("connect", () => {
    if (ended) return;
    listeners.welcomed();
    pings = setInterval(ping, silenceMs / pingsInSilence);
    subscribe();
  });
  client.on("packetreceive", (packet) => {
    unanswered = 0;
    unreadBytes = 0;
    // The library tells the sender of refusals only, not that nobody listens.
    if (packet.cmd === "puback") acknowledged = packet.reasonCode ?? 0;
    if (!ended && isExpected(packet)) return;
    // It would throw on some of these where nobody could catch it; of a pingresp it only takes note.
    Object.assign(packet, { cmd: "pingresp" });
    fail(refused("it speaks no MQTT that we understand"));
  });
  // The library keeps a packet of any length until it is whole.
  socket.stream.on("data", (chunk: Uint8Array) => {
    unreadBytes += chunk.length;
    if (unreadBytes > mostUnreadBytes) fail(refused("it sends more than fits, or speaks no MQTT"));
  });
  client.on("message", (topic, payload, { retain }) => {
    if (ended) return;
    if (topic === names.theirBeats) {
      if (!retain && payload.length >= 1 && payload.length <= longestFrame) listeners.beat(payload);
      return;
    }
    const presence = readPresence(payload);
    if (presence === undefined) return;
    if (topic === names.theirPresence) listeners.presence(presence.state);
    if (topic === names.ourPresence) rival ||= setup.returning && presence.instance !== setup.instance;
  });
  client.on("disconnect", ({ reasonCode }) => fail(troubleOfCode(reasonCode ?? 128)));
  client.on("error", (error) => cut(troubleOf(error)));
  client.on("close", () => cut(passing("it closed the connection")));

  return {
    send(frame) {
      if (!isUp || frame.length === 0 || frame.length > longestFrame) return;
      if (socket.stream.writableLength + frame.length > mostWaitingBytes) return;
      // The caller may use its bytes again before the kernel has taken ours.
      const copy = Buffer.from(frame);
      if (!asking && performance.now() - askedMs > askAfterMs) ask(copy);
      else client.publish(names.ourBeats, copy, { properties: { messageExpiryInterval: beatExpiresS } });
    },
    async leave() {
      const wasUp = isUp;
      if (!end()) return;
      if (!wasUp) return socket.reset();
      const late = setTimeout(() => socket.reset(), leaveWithinMs);
      const closed = new Promise<void>((resolve) => socket.stream.once("close", () => resolve()));
      sayPresence("left");
      client.end(false);
      await closed;
      clearTimeout(late);
    },
    drop() {
      if (end()) socket.reset();
    },
  };
}

/** With subscriptions of QoS 0 and publications of 1 at most, nothing else may come (MQTT 5, 2.1.2 and 4.3). */
function isExpected(packet: Packet): boolean {
  if (packet.cmd === "publish") return packet.qos === 0;
  return ["connack", "suback", "puback", "pingresp", "disconnect"].includes(packet.cmd);
}

function problemWith(reason: number, topic: string): string | undefined {
  if (reason === noSubscribers) return "the other node does not listen there";
  return reason >= 128 ? `it refuses our beats on ${topic} (${reason})` : undefined;
}
