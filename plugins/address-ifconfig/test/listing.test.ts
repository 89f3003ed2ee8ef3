/** Listings in the forms that the manual page ifconfig(8) of illumos prints, and where addresses are put because of them. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { answers, parseListing } from "../src/listing.js";
import { placeAddress } from "../src/placement.js";

const tab = "\t";
// EXAMPLES 8 and 9 of the page, unwrapped: long lines are folded there for print.
const fromManual = `qfe2: flags=1100843<UP,BROADCAST,RUNNING,MULTICAST,ROUTER,IPv4> mtu 1500 index 4
${tab}usesrc vni0
${tab}inet 1.2.3.4 netmask ffffff00 broadcast 1.2.3.255
${tab}ether 0:3:ba:17:4b:e1
vni0: flags=20011100c1<UP,RUNNING,NOARP,NOXMIT,ROUTER,IPv4,VIRTUAL> mtu 0 index 5
${tab}srcof qfe2
${tab}inet 3.4.5.6 netmask ffffffff
vni0:2: flags=20011100c1<UP,RUNNING,NOARP,NOXMIT,ROUTER,IPv4,VIRTUAL> mtu 0 index 23
${tab}zone test2
${tab}srcof hme0 eri0 qfe0
${tab}inet 10.0.0.3 netmask ff000000
qfe1: flags=2000841<UP,RUNNING,MULTICAST,IPv6> mtu 1500 index 3
${tab}usesrc vni0
${tab}inet6 fe80::203:baff:fe17:4be0/10
${tab}ether 0:3:ba:17:4b:e0
vni0:1: flags=2002210040<RUNNING,NOXMIT,NONUD,IPv6,VIRTUAL> mtu 0 index 5
${tab}srcof qfe1
${tab}inet6 fec0::203:baff:fe17:4444/128`.split("\n");

/** An IPMP group as "IP MULTIPATHING GROUPS" describes it: test addresses on the members, data addresses on ipmp0. */
const group = `lo0: flags=2001000849<UP,LOOPBACK,RUNNING,MULTICAST,IPv4,VIRTUAL> mtu 8232 index 1
${tab}inet 127.0.0.1 netmask ff000000
net0: flags=9040843<UP,BROADCAST,RUNNING,MULTICAST,DEPRECATED,IPv4,NOFAILOVER> mtu 1500 index 2
${tab}inet 10.0.0.12 netmask ffffff00 broadcast 10.0.0.255
${tab}groupname front
net1: flags=9040843<UP,BROADCAST,RUNNING,MULTICAST,DEPRECATED,IPv4,NOFAILOVER> mtu 1500 index 3
${tab}inet 10.0.0.13 netmask ffffff00 broadcast 10.0.0.255
${tab}groupname front
ipmp0: flags=8001000843<UP,BROADCAST,RUNNING,MULTICAST,IPv4,IPMP> mtu 1500 index 4
${tab}inet 10.0.0.2 netmask ffffff00 broadcast 10.0.0.255
${tab}groupname front`.split("\n");

const parsed = (lines: readonly string[]) => {
  const listing = parseListing(lines);
  assert.ok(listing);
  return listing;
};
const ha = { address: "10.0.0.4", family: 4, prefixLength: 24, interfaceName: undefined } as const;

describe("a listing of ifconfig", () => {
  test("names, addresses, masks, zones and flags of the manual's examples are read", () => {
    const listing = parsed(fromManual);
    assert.deepEqual(
      listing.map(({ name, physical, family, address, prefixLength, zone }) => [
        name,
        physical,
        family,
        address,
        prefixLength,
        zone,
      ]),
      [
        ["qfe2", "qfe2", 4, "1.2.3.4", 24, undefined],
        ["vni0", "vni0", 4, "3.4.5.6", 32, undefined],
        ["vni0:2", "vni0", 4, "10.0.0.3", 8, "test2"],
        ["qfe1", "qfe1", 6, "fe80::203:baff:fe17:4be0", 10, undefined],
        ["vni0:1", "vni0", 6, "fec0::203:baff:fe17:4444", 128, undefined],
      ],
    );
    assert.deepEqual(listing.map(answers), [true, true, true, true, false]);
  });

  test("an address that the kernel calls a duplicate answers nobody", () => {
    const lines = [
      "net0:1: flags=4001000842<BROADCAST,RUNNING,MULTICAST,IPv4,DUPLICATE> mtu 1500 index 2",
      "\tinet 10.0.0.4 netmask ffffff00 broadcast 10.0.0.255",
    ];
    assert.deepEqual(parsed(lines).map(answers), [false]);
  });

  test("nothing is concluded from the listing of another system", () => {
    const linux = ["eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500", "Active connections"];
    assert.equal(parseListing(linux), undefined);
    assert.equal(parseListing(["\tinet 10.0.0.4 netmask ffffff00"]), undefined);
    assert.deepEqual(parseListing([""]), []);
  });
});

describe("the place of an HA address", () => {
  test("is the interface of its network, past test addresses, other zones and the loopback", () => {
    assert.equal(placeAddress(ha, undefined, parsed(group)).interfaceName, "ipmp0");
    const elsewhere = { ...ha, address: "10.0.0.9" };
    assert.throws(() => placeAddress(elsewhere, undefined, parsed(fromManual)), {
      code: "IFCONFIG_NO_INTERFACE",
      message: /10\.0\.0\.9.*qfe2 \(1\.2\.3\.4\/24\)/,
    });
  });

  test("is the group's own interface where a member of an IPMP group is named", () => {
    assert.equal(placeAddress(ha, "net1", parsed(group)).interfaceName, "ipmp0");
    assert.equal(
      placeAddress({ ...ha, interfaceName: "ipmp0" }, "net1", parsed(group)).interfaceName,
      "ipmp0",
    );
  });

  test("must exist for the family of the address", () => {
    const v6 = { address: "fd00::4", family: 6, prefixLength: 64, interfaceName: undefined } as const;
    assert.throws(
      () => placeAddress(v6, "net0", parsed(group)),
      /no interface net0 for fd00::4.*none for IPv6/,
    );
  });
});
