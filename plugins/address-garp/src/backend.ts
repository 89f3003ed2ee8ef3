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
      opened.push(openPort({ interfaceName, haAddresses: all.map(({ address }) => address), ...needs }));
  } catch (cause) {
    for (const port of opened) port.close();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw garpError("GARP_NO_PACKET_SOCKET", `no frames can be sent: ${why}`, { cause });
  }
  return opened;
}

export function makeBackend(options: GarpOptions, needs: GarpNeeds): AddressBackend {
  let ports: readonly Port[] = [];
  let reports: AddressReports | undefined;
  return {
    async start(given) {
      reports = given;
      ports = openPorts(options, needs);
    },
    acquire: () => Promise.resolve("confirmed"),
    release: () => Promise.resolve("confirmed"),
    async holds() {
      const there = new Set(ownAddresses().map(({ address }) => addressKey(ipBytes(address))));
      const all = needs.node.haAddresses.every(({ address }) => there.has(addressKey(ipBytes(address))));
      return all ? "held" : "absent";
    },
    async stop() {
      for (const port of ports) port.close();
      ports = [];
    },
    describe: () => ports.map((port) => port.describe()).join("; ") || "not started",
    announce() {
      for (const port of ports) port.announce();
    },
    probeAddress() {
      for (const port of ports) port.probeAddresses();
    },
    probeNeighbours() {
      for (const port of ports) port.probeNeighbours();
    },
    drain() {
      if (reports !== undefined) for (const port of ports) port.drain(reports);
    },
  };
}
