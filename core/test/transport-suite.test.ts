/** The suite for transports accepts all that the contract allows, and refuses what breaks it. */

import assert from "node:assert/strict";
import {
  restartTest,
  type TransportSuite,
  transportConformance,
  transportTests,
  useTransport,
} from "@understudy/core/conformance/transport";
import type { Transport } from "@understudy/core/public";
import { refuses, workOf } from "./suite-kit.js";
import { type Cable, makeCable, memoryTransport } from "./transport-kit.js";

type Receive = (frame: Uint8Array) => void;
type Change = (right: Transport, cable: Cable, side: "a" | "b") => Partial<Transport>;

function suiteOf(name: string, change: Change = () => ({})): TransportSuite {
  return {
    name,
    cuts: false,
    async makePair() {
      const cable = makeCable();
      const make = (side: "a" | "b"): Transport => {
        const right = memoryTransport(cable, side);
        return { ...right, ...change(right, cable, side) };
      };
      return { a: make("a"), b: make("b"), again: () => make("b"), dispose() {} };
    },
  };
}

const receiving =
  (change: (receive: Receive) => Receive): Change =>
  (right) => ({ start: (receive) => right.start(change(receive)) });

transportConformance(suiteOf("a cable"));
transportConformance(
  suiteOf(
    "a cable that doubles",
    receiving((receive) => (frame) => {
      receive(frame);
      receive(frame);
    }),
  ),
);
transportConformance(
  suiteOf(
    "a cable with one buffer for all frames",
    receiving((receive) => {
      const buffer = new Uint8Array(512);
      return (frame) => {
        buffer.set(frame);
        receive(buffer.subarray(0, frame.length));
        buffer.fill(0);
      };
    }),
  ),
);

function refusesIn(name: string, wrong: string, why: RegExp, change: Change): void {
  refuses(wrong, why, () => useTransport(suiteOf(wrong, change), workOf(transportTests, name)));
}

const unaltered = "frames of 1 to 512 bytes arrive unaltered, both ways";
refusesIn(
  unaltered,
  "delivers what nobody sent",
  /every frame that arrived is one that was sent/,
  receiving((receive) => (frame) => {
    receive(frame);
    receive(frame.slice(0, -1));
  }),
);
refusesIn(
  unaltered,
  "cuts long frames short",
  /in vain for: a frame of 257 bytes/,
  receiving((receive) => (frame) => receive(frame.slice(0, 256))),
);
refusesIn(unaltered, "hears itself", /nobody hears their own frames/, (right, { ends }, side) => ({
  send(frame) {
    right.send(frame);
    ends.get(side)?.(frame);
  },
}));

const alone = "a start settles while nobody is at the other end, who may come later";
refusesIn(alone, "waits for its peer in start", /in vain for: start of a transport/, (right, { ends }) => ({
  async start(receive) {
    await right.start(receive);
    // Ends by itself, long after the suite has given up, so that this process ends as well.
    for (let turn = 0; turn < 500 && ends.size < 2; turn += 1)
      await new Promise((next) => setTimeout(next, 10));
  },
}));
refusesIn(alone, "fails without a peer", /nobody there/, (right, { ends }) => ({
  async start(receive) {
    await right.start(receive);
    if (ends.size < 2) throw new Error("nobody there");
  },
}));

refusesIn(
  "nothing is delivered after stop has settled",
  "goes on after stop",
  /Expected values to be strictly equal/,
  () => ({ stop: async () => {} }),
);

const neverThrows = "sending never throws: before the start, after the stop, too long, empty";
refusesIn(neverThrows, "throws before its start", /not open/, (right) => {
  let open = false;
  return {
    start(receive) {
      open = true;
      return right.start(receive);
    },
    send(frame) {
      if (!open) throw new Error("not open");
      right.send(frame);
    },
  };
});
refusesIn(
  neverThrows,
  "cuts too long a frame to size",
  /dropped, not cut short|in vain/,
  (right, { ends }) => ({
    send: (frame) => (frame.length > 512 ? ends.get("b")?.(new Uint8Array(600)) : right.send(frame)),
  }),
);
refusesIn(neverThrows, "answers with a promise", /Expected values to be strictly equal/, (right) => ({
  send: (async (frame: Uint8Array) => right.send(frame)) as Transport["send"],
}));

refusesIn("sending returns at once", "blocks", /a send takes \d+\.\d ms as a rule/, (right) => ({
  send(frame) {
    const endMs = performance.now() + 8;
    while (performance.now() < endMs);
    right.send(frame);
  },
}));

refusesIn("sending returns at once", "blocks for less", /a send takes \d+\.\d ms as a rule/, (right) => ({
  send(frame) {
    const endMs = performance.now() + 3;
    while (performance.now() < endMs);
    right.send(frame);
  },
}));

const burst = "a burst is lost rather than kept, and the path works on";
refusesIn(
  burst,
  "keeps what it cannot send",
  /in vain for: the frames of a burst to be let go of/,
  (right) => {
    const kept: Uint8Array[] = [];
    return {
      send(frame) {
        kept.push(frame);
        right.send(frame);
      },
      describe: () => `${kept.length} frames wait`,
    };
  },
);
refusesIn(burst, "breaks at a burst", /in vain for: a frame of 31 bytes/, (right) => {
  let sent = 0;
  return {
    send(frame) {
      sent += 1;
      if (sent < 1000) right.send(frame);
    },
  };
});

const line = "what it says of itself is one line, in every state";
refusesIn(line, "speaks in lines", /must match|did not match/, () => ({ describe: () => "one\ntwo" }));
refusesIn(line, "speaks without an end", /x{200}/, () => ({ describe: () => "x".repeat(201) }));

refusesIn(
  "where it can be probed is known from the start on",
  "gives an address that its peer does not have",
  /Expected values to be strictly equal/,
  () => ({
    probeTarget: () => ({ localAddress: "10.0.0.2", peerAddress: "10.0.0.3", interfaceName: undefined }),
  }),
);

refusesIn("stop settles also when it was never started", "cannot stop without a start", /never/, (right) => {
  let started = false;
  return {
    start(receive) {
      started = true;
      return right.start(receive);
    },
    async stop() {
      if (!started) throw new Error("it was never started");
      await right.stop();
    },
  };
});

refuses("sends to the end that is gone for ever", /in vain for: a frame of 82 bytes/, async () => {
  const suite = suiteOf("gone", (right, { ends }, side) => {
    let first: Receive | undefined;
    return {
      send(frame) {
        if (side === "b") return right.send(frame);
        first ??= ends.get("b");
        if (first === ends.get("b")) right.send(frame);
      },
    };
  });
  assert.ok(await useTransport(suite, restartTest[1]));
});
