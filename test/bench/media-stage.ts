/**
 * What the benchmark of media plays on: a segment with a real Mosquitto on a machine of its own, and two serial lines at
 * the pace of real ones, slow and usual. Paths of a config are made from it by medium.
 */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientAddress, nodeAddresses, type Pair, sides, startPair } from "../lab/pair.js";
import { makeSegment, type Segment } from "../lab/segment.js";
import { type SerialLine, startSerialLine } from "../lab/serial-line.js";
import { until } from "./contender.js";

export const lineRates = [9600, 115_200] as const;
export type LineRate = (typeof lineRates)[number];
export type Medium = "udp" | "serial 9600" | "serial 115200" | "mqtt";

/** On a busy machine a node process may take many seconds to start, and neither node should serve alone meanwhile. */
const startWithinMs = 90_000;

export async function startPatiently(stage: Stage, config: Readonly<Record<string, unknown>>): Promise<Pair> {
  const whole = { ...config, aloneAfter: "2m" };
  const pair = await startPair({ segment: stage.segment, config: whole, cold: true });
  try {
    await Promise.all(sides.map((side) => pair.node(side).start()));
    await pair.settled("primary", startWithinMs);
    return pair;
  } catch (cause) {
    await pair.close();
    throw cause;
  }
}

export interface Stage {
  readonly segment: Segment;
  readonly lines: Readonly<Record<LineRate, SerialLine>>;
  /** What a pair with these media has under heartbeat.paths. */
  paths(media: readonly Medium[]): readonly Readonly<Record<string, unknown>>[];
  /** Both lines; settles when nothing passes any more. */
  cutLines(): Promise<void>;
  mendLines(): void;
  close(): Promise<void>;
}

const brokerAddress = "10.77.0.7";
const brokerPort = 1883;

export async function setStage(): Promise<Stage> {
  const segment = makeSegment({ ...nodeAddresses, client: clientAddress, broker: brokerAddress });
  const folder = mkdtempSync(join(tmpdir(), "us-media-"));
  // After the segment's own end, which stops whoever writes there; also when Ctrl-C ends us.
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  await startBroker(segment, folder);
  const lines = { 9600: await startSerialLine(9600), 115200: await startSerialLine(115_200) };
  const serial = (baud: LineRate) => {
    const { primary, secondary } = lines[baud];
    return {
      plugin: "serial",
      name: `serial-${baud}`,
      class: "private",
      baud,
      device: { primary, secondary },
    };
  };
  const paths: Readonly<Record<Medium, Readonly<Record<string, unknown>>>> = {
    udp: { plugin: "udp", class: "client" },
    "serial 9600": serial(9600),
    "serial 115200": serial(115_200),
    mqtt: { plugin: "mqtt", class: "out-of-band", url: `mqtt://${brokerAddress}:${brokerPort}` },
  };
  return {
    segment,
    lines,
    // A pair's only path counts as the clients' one, or the primary would never take back.
    paths: (media) =>
      media.map((medium) => (media.length === 1 ? { ...paths[medium], class: "client" } : paths[medium])),
    async cutLines() {
      await Promise.all(lineRates.map((baud) => lines[baud].cut()));
    },
    mendLines() {
      for (const baud of lineRates) lines[baud].mend();
    },
    async close() {
      await Promise.all(lineRates.map((baud) => lines[baud].close()));
      segment.close();
      removeFolder();
      process.removeListener("exit", removeFolder);
    },
  };
}

async function startBroker(segment: Segment, folder: string): Promise<void> {
  const file = join(folder, "mosquitto.conf");
  const lines = ["user root", "allow_anonymous true", `listener ${brokerPort} ${brokerAddress}`, ""];
  writeFileSync(file, lines.join("\n"));
  // Debian keeps it in /usr/sbin, which is not on everybody's path.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = segment.start("broker", "mosquitto", ["-c", file], { env, stdio: "ignore" });
  await until(() => {
    if (child.exitCode !== null) throw new Error("Mosquitto ended at once");
    return segment.run("broker", "ss", ["-Hltn", "sport", "=", String(brokerPort)]).trim() !== "";
  }, "Mosquitto listens");
}
