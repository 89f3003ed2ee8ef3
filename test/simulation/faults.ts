/**
 * Brings a plan's faults about in a world, takes each back when its time is over, and makes everything whole at the end:
 * what the pair does then is what the liveness checkers judge.
 */

import type { Side } from "@understudy/core/public";
import { fairWeather } from "./network.js";
import type { Fault, FaultKind, Plan } from "./plan.js";
import { sides, type World } from "./world.js";

interface Effect {
  start(): void;
  end(): void;
}

const nothing = (): void => {};

function effectOf(world: World, fault: FaultKind, ordinal: number): Effect {
  const { network, machines } = world;
  switch (fault.kind) {
    case "weather":
      return {
        start: () => network.setWeather(fault.path, fault.weather),
        end: () => network.setWeather(fault.path, fairWeather),
      };
    case "cut":
      return {
        start: () => network.cut(fault.from, fault.path),
        end: () => network.mend(fault.from, fault.path),
      };
    case "split":
      return switched((on) => {
        for (const from of sides) {
          if (on) network.cut(from, "all");
          else network.mend(from, "all");
        }
      });
    case "unplug":
      return { start: () => network.unplug(fault.side), end: () => network.plug(fault.side) };
    case "carrier":
      return {
        start: () => {
          network.unplug(fault.side);
          machines[fault.side].setCarrier(false);
        },
        end: () => {
          network.plug(fault.side);
          machines[fault.side].setCarrier(true);
        },
      };
    case "halfPlug":
      return {
        start: () => network[fault.half].add(fault.side),
        end: () => network[fault.half].delete(fault.side),
      };
    case "classLost":
      return switched((on) => {
        for (const path of network.paths.filter((each) => each.class === fault.pathClass))
          for (const from of sides) {
            if (on) network.cut(from, path.name);
            else network.mend(from, path.name);
          }
      });
    case "neighbours":
      return switched((on) => {
        world.neighboursSilent = on;
      });
    case "foreign":
      return switched((on) => {
        world.foreign = on;
      });
    case "noTcp":
      return switched((on) => {
        network.tcpCut = on;
      });
    case "granterCut":
      return {
        start: () => world.protectors.cutOff.add(fault.side),
        end: () => world.protectors.cutOff.delete(fault.side),
      };
    case "granterDown":
      return switched((on) => {
        for (const from of sides) {
          if (on) world.protectors.cutOff.add(from);
          else world.protectors.cutOff.delete(from);
        }
      });
    case "granterSlow":
      return switched((on) => {
        world.protectors.slowByMs = on ? fault.byMs : 0;
      });
    case "answersLost":
      return switched((on) => {
        world.protectors.losesAnswers = on;
      });
    case "fenceTrouble":
      return {
        start: () => world.protectors.fenceTrouble.set(fault.name, fault.trouble),
        end: () => world.protectors.fenceTrouble.delete(fault.name),
      };
    case "eaten":
      return {
        start: () => network.eaten.add(fault.side),
        end: () => network.eaten.delete(fault.side),
      };
    case "stranger":
      return switched((on) => {
        world.stranger = on;
      });
    default:
      return effectOnMachine(world, fault, ordinal);
  }
}

function switched(set: (on: boolean) => void): Effect {
  return { start: () => set(true), end: () => set(false) };
}

type MachineFault = Extract<FaultKind, { readonly side: Side }>;

function effectOnMachine(world: World, fault: MachineFault, ordinal: number): Effect {
  const machine = world.machines[fault.side];
  switch (fault.kind) {
    case "stall":
      return { start: () => machine.stall(), end: () => machine.unstall() };
    case "pause":
      return { start: () => machine.pause(), end: () => machine.resume(fault.keepFrames) };
    case "killPulse":
      return { start: () => machine.killPulse(), end: nothing };
    case "killNode":
      return { start: () => machine.killNode(), end: nothing };
    case "killBoth":
      return {
        start: () => {
          machine.killNode();
          machine.killPulse();
        },
        end: nothing,
      };
    case "hangNode":
      return { start: () => machine.node.hang(), end: () => machine.node.resume() };
    case "sickServices":
      return switched((on) => {
        machine.node.services = !on;
      });
    case "powerLoss":
      return { start: () => machine.losePower(), end: () => machine.boot() };
    case "crash":
      return {
        start: () => {
          machine.crashAfterActions = fault.afterActions;
        },
        end: nothing,
      };
    case "kernel":
      return {
        start: () => {
          machine.kernelTrouble = fault.trouble;
        },
        end: () => {
          machine.kernelTrouble = "none";
        },
      };
    default:
      return effectOnDiskOrOperator(world, fault, ordinal);
  }
}

function effectOnDiskOrOperator(world: World, fault: MachineFault, ordinal: number): Effect {
  const machine = world.machines[fault.side];
  switch (fault.kind) {
    case "diskFull":
      return switched((on) => {
        machine.disk.failing = on;
        machine.node.store = !on;
        if (machine.sessions !== undefined) machine.sessions.store.fault = on ? { kind: "full" } : undefined;
      });
    case "diskBroken":
      return switched((on) => {
        if (machine.sessions !== undefined)
          machine.sessions.store.fault = on ? { kind: "broken" } : undefined;
      });
    case "corrupt":
      return {
        start: () => {
          machine.losePower();
          machine.sessions?.damage();
        },
        end: () => machine.boot(),
      };
    case "lyingDisk":
      return {
        start: () => {
          machine.disk.lying = true;
          machine.sessions?.beginLying();
        },
        end: () => {
          machine.losePower();
          machine.disk.lying = false;
          machine.sessions?.endLying();
          machine.boot();
        },
      };
    case "rollBack":
      return {
        start: () => machine.losePower(),
        end: () => {
          machine.losePower();
          machine.disk.rollBack(
            (history) => history[Math.max(0, history.length - 1 - fault.by)] ?? machine.disk,
          );
          machine.sessions?.rollBack(fault.by);
          machine.boot();
        },
      };
    case "operator":
      return {
        start: () => {
          if (machine.node.up)
            machine.tell({ type: "operatorAsked", requestId: `operator ${ordinal}`, request: fault.request });
        },
        end: nothing,
      };
    case "stop":
      return { start: () => machine.tell({ type: "stopAsked" }), end: () => machine.startPulse() };
    case "config": {
      const { settings } = machine;
      const change = (configDigest: string) => {
        machine.settings = { ...settings, configDigest };
        machine.tell({ type: "settingsChanged", settings: machine.settings });
      };
      return { start: () => change("00000002"), end: () => change(settings.configDigest) };
    }
    case "tampered":
      return {
        start: () => machine.tell({ type: "addressRemoved", address: "10.0.0.4/24" }),
        end: nothing,
      };
    default:
      return { start: nothing, end: nothing };
  }
}

export function scheduleFaults(world: World, plan: Plan, say: (fault: Fault, phase: string) => void): void {
  const { schedule, machines } = world;
  for (const side of sides) schedule.after(plan.bootMs[side], () => machines[side].boot());
  plan.faults.forEach((fault, ordinal) => {
    const effect = effectOf(world, fault, ordinal);
    schedule.after(fault.atMs, () => {
      say(fault, "begins");
      effect.start();
    });
    if (fault.atMs + fault.forMs < plan.healMs)
      schedule.after(fault.atMs + fault.forMs, () => {
        say(fault, "ends");
        effect.end();
      });
  });
}

/** Everything works from now on; what the operator wanted stays wanted, what was lost stays lost. */
export function heal(world: World): void {
  const { network, machines } = world;
  world.foreign = false;
  world.stranger = false;
  world.neighboursSilent = false;
  network.healAll();
  world.protectors.heal();
  for (const side of sides) {
    const machine = machines[side];
    if (machine.disk.lying) {
      machine.disk.flush();
      machine.disk.lying = false;
      machine.sessions?.endLying();
    }
    if (machine.sessions !== undefined) machine.sessions.store.fault = undefined;
    machine.disk.failing = false;
    machine.node.store = true;
    machine.node.services = true;
    machine.node.resume();
    machine.kernelTrouble = "none";
    machine.crashAfterActions = Infinity;
    machine.resume(false);
    machine.unstall();
    machine.boot();
    machine.startNode();
    machine.startPulse();
    const { settings } = machine;
    if (settings.configDigest !== world.settings[side].configDigest) {
      machine.settings = world.settings[side];
      machine.tell({ type: "settingsChanged", settings: machine.settings });
    }
    machine.setCarrier(true);
  }
}
