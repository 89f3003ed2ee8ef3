/**
 * The address backend `garp`: tells the segment where the HA addresses are and asks it who answers for them. It neither
 * adds nor removes an address, so acquire and release have nothing to do.
 */

import type {
  AddressBackend,
  AddressReports,
  Clock,
  HaAddress,
  Log,
  NodeIdentity,
} from "@understudy/core/public";
import { inWords, together, type Verdict } from "./agreement.js";
import { addressKey, ipBytes, networkContains } from "./bytes.js";
import { garpError } from "./errors.js";
import { ownAddresses } from "./machine.js";
import type { GarpOptions } from "./options.js";
import { openPort, type Port } from "./port.js";

export interface GarpNeeds {
  readonly node: NodeIdentity;
  readonly clock: Clock;
  readonly log: Log;
}

/** Named by the address, else by the plugin's option, else the interface whose network contains it. */
function interfaceOf(address: HaAddress, option: string | undefined): string {
  const named = address.interfaceName ?? option;
  if (named !== undefined) return named;
  const own = ownAddresses().filter((one) => !one.internal && one.address !== address.address);
  const found = own.find(({ cidr }) => networkContains(cidr, address.address));
  if (found !== undefined) return found.interfaceName;
  const there = own.map(({ interfaceName, cidr }) => `${interfaceName} (${cidr})`).join(", ");
  throw garpError(
    "GARP_NO_INTERFACE",
    `no interface has a network that contains ${address.address}; there are: ${there || "none"}`,
  );
}

function openPorts(options: GarpOptions, needs: GarpNeeds): readonly Port[] {
  const places = needs.node.haAddresses.map((one) => ({
    address: one.address,
    interfaceName: interfaceOf(one, options.interface),
  }));
  const opened: Port[] = [];
  try {
    for (const [interfaceName, all] of Map.groupBy(places, (place) => place.interfaceName))
      opened.push(
        openPort({
          interfaceName,
          haAddresses: all.map(({ address }) => address),
          refreshMs: options.refresh * 1000,
          ...needs,
        }),
      );
  } catch (cause) {
    for (const port of opened) port.close();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw garpError("GARP_NO_PACKET_SOCKET", `no frames can be sent: ${why}`, { cause });
  }
  return opened;
}

const lookEveryMs = 250;

export function makeBackend(options: GarpOptions, needs: GarpNeeds): AddressBackend {
  let ports: readonly Port[] = [];
  let reports: AddressReports | undefined;
  let held = false;
  /** Rounds of announcements since the addresses were taken. */
  let rounds = 0;
  let told: { readonly agreement: string; readonly detail: string } | undefined;
  let lookedMs = -Infinity;

  const verdict = (): Verdict => together(ports.map((port) => port.verdict()));
  /** What was heard counts at once; that nobody answered any more is noticed a little later. */
  function tell(arrived: boolean): void {
    if (!held || rounds < 2) return;
    const nowMs = needs.clock.nowMs();
    if (!arrived && nowMs - lookedMs < lookEveryMs) return;
    lookedMs = nowMs;
    const now = verdict();
    if (now.agreement === told?.agreement) return;
    told = { agreement: now.agreement, detail: inWords(now) };
    reports?.segmentAgreed?.(now.agreement, options.refresh * 1000, told.detail);
  }

  return {
    async start(given) {
      reports = given;
      ports = openPorts(options, needs);
    },
    acquire() {
      if (!held) {
        rounds = 0;
        told = undefined;
        for (const port of ports) port.taken();
      }
      held = true;
      return Promise.resolve("confirmed");
    },
    release() {
      held = false;
      return Promise.resolve("confirmed");
    },
    async holds() {
      const there = new Set(ownAddresses().map(({ address }) => addressKey(ipBytes(address))));
      const all = needs.node.haAddresses.every(({ address }) => there.has(addressKey(ipBytes(address))));
      return all ? "held" : "absent";
    },
    async stop() {
      for (const port of ports) port.close();
      ports = [];
      held = false;
    },
    describe() {
      const where = ports.map((port) => port.describe()).join("; ") || "not started";
      return held && rounds > 0 ? `${where}; announced, agreed by ${inWords(verdict())}` : where;
    },
    announce() {
      rounds += 1;
      // The first round is the takeover itself: it only tells, and asks nobody.
      for (const port of ports) port.announce(held && rounds > 1);
      tell(true);
    },
    probeAddress() {
      for (const port of ports) port.probeAddresses();
    },
    probeNeighbours() {
      for (const port of ports) port.probeNeighbours();
    },
    drain() {
      if (reports === undefined) return;
      let arrived = false;
      for (const port of ports) arrived = port.drain(reports) || arrived;
      tell(arrived);
    },
  };
}
