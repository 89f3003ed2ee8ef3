/**
 * What an outsider can hold against the decision core: it sees events, actions and the state that comes out, and each
 * auditor remembers of them what it needs. None asks the core what it thinks of its own rules.
 */

import type { Event } from "../../src/failover/event.js";
import type { State } from "../../src/failover/state.js";
import type { Step } from "../../src/failover/step.js";

export interface Stepped {
  readonly before: State;
  readonly event: Event;
  readonly out: Step;
}

export interface Auditor {
  /** After every step. Throws a Violation. */
  stepped(step: Stepped): void;
  /** When everything asked for has been answered and time has gone by since the last event. */
  settled?(state: State): void;
}

/** `rule` names the check, so that a run can be shortened without another failure taking its place. */
export class Violation extends Error {
  readonly rule: string;
  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`);
    this.name = "Violation";
    this.rule = rule;
  }
}

export function hold(condition: boolean, rule: string, what: string): void {
  if (!condition) throw new Violation(rule, what);
}
