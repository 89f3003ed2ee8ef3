/** Two ends of an MQTT path in this process, as the two nodes of a pair would make them. */

import {
  makePlugin,
  otherNode,
  type RecordingLog,
  recordingLog,
  testNode,
  testPath,
} from "@understudy/core/conformance/capabilities";
import { until } from "@understudy/core/conformance/until";
import type { NodeIdentity, Transport } from "@understudy/core/public";
import mqtt from "../src/plugin.js";

export function makeEnd(
  options: object,
  node: NodeIdentity = testNode(),
  log: RecordingLog = recordingLog(),
): Transport {
  const path = testPath({ name: "mqtt", class: "out-of-band" });
  return makePlugin(mqtt, { silence: "1s", ...options }, { node, path, log });
}

export interface Pair {
  readonly a: Transport;
  readonly b: Transport;
  readonly atA: string[];
  readonly atB: string[];
  readonly logA: RecordingLog;
  stop(): Promise<void>;
}

/** Both started; a broker need not be there. */
export async function startPair(options: object): Promise<Pair> {
  const logA = recordingLog();
  const a = makeEnd(options, testNode(), logA);
  const b = makeEnd(options, otherNode(testNode()));
  const atA: string[] = [];
  const atB: string[] = [];
  await a.start((frame) => void atA.push(Buffer.from(frame).toString()));
  await b.start((frame) => void atB.push(Buffer.from(frame).toString()));
  return { a, b, atA, atB, logA, stop: async () => void (await Promise.all([a.stop(), b.stop()])) };
}

/** Best effort may lose any one frame, so it is said again until it is heard at the other end. */
export async function heard(from: Transport, at: readonly string[], text: string): Promise<void> {
  await until(`${text} to arrive`, () => at.includes(text), { again: () => from.send(Buffer.from(text)) });
}

export async function says(end: Transport, pattern: RegExp, again?: () => void): Promise<void> {
  const matches = () => pattern.test(end.describe());
  const asked = until(`a description that matches ${pattern}`, matches, again === undefined ? {} : { again });
  await asked.catch((error: unknown) => {
    throw new Error(`${(error as Error).message}; it is: ${end.describe()}`);
  });
}
