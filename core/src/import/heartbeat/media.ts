/** The ways that Heartbeat sends its beats, read as its plugins do (lib/plugins/HBcomm). */

import { isIP } from "node:net";
import { isInterfaceName } from "../draft.js";
import type { ConfLine } from "./ha-cf-lines.js";
import { type HaCfState, say } from "./ha-cf-state.js";

const mostMedia = 64;
/** When no baud line stands above. */
const defaultBaud = 19_200;

export function readMedium(state: HaCfState, line: ConfLine): void {
  const [first] = line.options;
  if (first === undefined) {
    say(state, line, "dropped", "it names nothing that beats could go through");
    return;
  }
  if (line.directive === "bcast" || line.directive === "serial") {
    for (const on of line.options) readSimple(state, line, on);
    return;
  }
  if (!isInterfaceName(first)) {
    say(state, line, "dropped", "it names no network interface");
    return;
  }
  if (line.directive.startsWith("ucast")) {
    readUnicast(state, line, first);
    return;
  }
  readMulticast(state, line, first);
}

function add(state: HaCfState, medium: HaCfState["media"][number]): void {
  if (state.media.length >= mostMedia) say(state, medium.line, "dropped", "Heartbeat takes 64 media at most");
  else state.media.push(medium);
}

function readSimple(state: HaCfState, line: ConfLine, on: string): void {
  if (line.directive === "bcast") {
    // bcast takes an alias such as eth0:0 too; beats go over the device.
    const device = on.split(":", 1)[0] ?? "";
    if (isInterfaceName(device)) add(state, { line, kind: "bcast", on: device });
    else say(state, line, "dropped", `${on} is no network interface`);
    return;
  }
  if (!/^\/\S{1,200}$/.test(on)) {
    say(state, line, "dropped", `${on} is no device`);
    return;
  }
  add(state, { line, kind: "serial", on, baud: state.baud ?? defaultBaud });
}

function readUnicast(state: HaCfState, line: ConfLine, on: string): void {
  const to = line.options[1] ?? "";
  const family = line.directive === "ucast6" ? 6 : 4;
  if (isIP(to) !== family) {
    say(state, line, "dropped", `${to || "nothing"} is no IPv${family} address`);
    return;
  }
  add(state, { line, kind: "ucast", on, to });
}

function readMulticast(state: HaCfState, line: ConfLine, on: string): void {
  const [, group = "", port, ttl] = line.options;
  const family = line.directive === "mcast6" ? 6 : 4;
  const right = family === 4 ? /^(22[4-9]|23\d)\./.test(group) : /^ff/i.test(group);
  if (isIP(group) !== family || !right) {
    say(state, line, "dropped", `${group || "nothing"} is no multicast group`);
    return;
  }
  if (port === undefined || !/^\d+$/.test(port)) {
    say(state, line, "dropped", "it names no port");
    return;
  }
  add(state, { line, kind: "mcast", on, group, ttl: Number.parseInt(ttl ?? "1", 10) || 1 });
}
