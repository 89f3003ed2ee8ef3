/**
 * One broker for as long as the path runs: connects, connects again after ever longer pauses, and can say at any time
 * how it is. All brokers of a path are used at once, each by its own one of these.
 */

import type { Log, NodeIdentity } from "@understudy/core/public";
import type { MqttClient } from "mqtt";
import { createBackoff } from "./backoff.js";
import { type Connection, openConnection } from "./connection.js";
import type { ReadCredentials } from "./credentials.js";
import type { Names } from "./names.js";
import type { PresenceState } from "./presence.js";
import { passing, type Trouble, troubleOf } from "./reasons.js";
import { addressOf, type BrokerSocket, openSocket } from "./socket.js";

export interface BrokerSetup {
  readonly url: string;
  readonly servername: string | undefined;
  readonly silenceMs: number;
  readonly names: Names;
  readonly node: NodeIdentity;
  readonly instance: string;
  readonly log: Log;
  readCredentials: ReadCredentials;
  beat(frame: Uint8Array): void;
}

export interface Broker {
  start(Client: typeof MqttClient): void;
  send(frame: Uint8Array): void;
  stop(): Promise<void>;
  readonly isUp: boolean;
  /** "mqtts://broker.example.com, …" */
  describe(): string;
}

/** From the first packet to both subscriptions; a broker that takes longer is of no use as a path. */
const attemptLimitMs = 5000;
const heardWithinMs = 5000;

const stepWords = {
  reading: "it is being connected to",
  connecting: "it does not answer: no TCP connection within 5 s",
  securing: "it accepted the connection, and TLS does not come about",
  greeting: "it accepted the connection and says nothing: no CONNACK within 5 s",
  subscribing: "it let us in and does not answer the subscription",
} as const;

export function createBroker(setup: BrokerSetup): Broker {
  const { url, names, node, log } = setup;
  const address = addressOf(url);
  const backoff = createBackoff();
  let Client: typeof MqttClient | undefined;
  let connection: Connection | undefined;
  let attempt: AbortController | undefined;
  let timer: NodeJS.Timeout | undefined;
  let step: keyof typeof stepWords = "reading";
  let stopped = true;
  let upSinceMs: number | undefined;
  let wasUp = false;
  let heardMs = Number.NEGATIVE_INFINITY;
  let trouble: Trouble | undefined;
  let loggedTrouble: string | undefined;
  let presence: PresenceState | undefined;
  let problem: string | undefined;

  function down(found: Trouble): void {
    clearTimeout(timer);
    attempt?.abort();
    connection = undefined;
    if (stopped) return;
    const upMs = upSinceMs === undefined ? 0 : performance.now() - upSinceMs;
    upSinceMs = undefined;
    presence = undefined;
    problem = undefined;
    trouble = found;
    const pauseMs = backoff.next(found.kind, upMs);
    // The same reason again and again is one line in the log.
    if (loggedTrouble !== found.text) log.warn({ broker: url, reason: found.text }, "broker is lost");
    loggedTrouble = found.text;
    timer = setTimeout(() => void connect(), pauseMs);
  }

  async function connect(): Promise<void> {
    const mine = new AbortController();
    attempt = mine;
    step = "reading";
    timer = setTimeout(() => {
      const hanging = connection;
      down(passing(stepWords[step]));
      hanging?.drop();
    }, attemptLimitMs);
    const failed = (found: Trouble) => {
      if (!mine.signal.aborted) down(found);
    };
    try {
      const credentials = await setup.readCredentials();
      if ("trouble" in credentials) return failed(credentials.trouble);
      const { signal } = mine;
      const request = { broker: address, credentials, servername: setup.servername, node, signal };
      const socket = await openSocket({ ...request, step: (now) => (step = now) });
      if (mine.signal.aborted || Client === undefined) return socket.reset();
      step = "greeting";
      connection = speak(socket, Client, credentials, failed);
    } catch (error) {
      failed(troubleOf(error));
    }
  }

  function speak(
    socket: BrokerSocket,
    Library: typeof MqttClient,
    credentials: Extract<Awaited<ReturnType<ReadCredentials>>, { readonly user: unknown }>,
    failed: (trouble: Trouble) => void,
  ): Connection {
    const { silenceMs, instance } = setup;
    return openConnection(
      {
        Client: Library,
        socket,
        names,
        nodeName: node.name,
        instance,
        returning: wasUp,
        credentials,
        silenceMs,
      },
      {
        welcomed: () => {
          step = "subscribing";
        },
        up() {
          clearTimeout(timer);
          upSinceMs = performance.now();
          wasUp = true;
          trouble = undefined;
          loggedTrouble = undefined;
          log.info({ broker: url }, "broker is connected");
        },
        beat(frame) {
          heardMs = performance.now();
          setup.beat(frame);
        },
        presence(said) {
          presence = said;
        },
        answered(found) {
          if (found !== undefined && found !== problem)
            log.warn({ broker: url, reason: found }, "broker does not pass our beats on");
          problem = found;
        },
        down: failed,
      },
    );
  }

  return {
    start(Library) {
      Client = Library;
      stopped = false;
      void connect();
    },
    send: (frame) => connection?.send(frame),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      attempt?.abort();
      upSinceMs = undefined;
      await connection?.leave();
      connection = undefined;
    },
    get isUp() {
      return upSinceMs !== undefined;
    },
    describe() {
      if (stopped) return `${url}: down, stopped`;
      if (trouble !== undefined) return `${url}: down, ${trouble.text}`;
      if (upSinceMs === undefined) return `${url}: down, ${stepWords.reading}`;
      if (problem !== undefined) return `${url}: connected, but ${problem}`;
      return `${url}: connected, ${otherNode(performance.now() - heardMs < heardWithinMs, presence)}`;
    },
  };
}

function otherNode(heard: boolean, presence: PresenceState | undefined): string {
  if (heard) return "the other node's beats arrive";
  if (presence === "here") return "the other node is there too, but no beat of it arrives";
  if (presence === "left") return "the other node has left it";
  return presence === "lost" ? "it has lost the other node" : "the other node is not there";
}
