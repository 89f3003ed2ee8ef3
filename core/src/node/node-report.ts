/**
 * What node tells pulse about itself, made from what its parts say. Pure.
 */

import type { NodeReport } from "../failover/event.js";
import type { SessionStatus } from "./session-engine.js";

export interface ReportSources {
  readonly servicesOk: boolean;
  /** Undefined with `sessions: none`. */
  readonly sessions: SessionStatus | undefined;
  readonly linkUp: boolean;
  /** The link was up once, or this process has served. */
  readonly met: boolean;
  /** This process was asked to end: the other node is the better one from now on (rule R27). */
  readonly stopping: boolean;
}

/**
 * With `sessions: none` the services keep their own data, of which Understudy knows nothing: the node is verified from
 * the start, and it counts as in sync while the link between the nodes is up, so that failback (R25) does not move the
 * service onto a node that has just lost contact. Whether the nodes have met is said apart: until then it waits alone as
 * long as any other (rule R24).
 */
export function nodeReport(sources: ReportSources): NodeReport {
  const { servicesOk, sessions, linkUp, met, stopping } = sources;
  const services = servicesOk && !stopping;
  if (sessions === undefined) {
    return { services, store: true, verified: true, inSync: linkUp, waitingFor: undefined, met };
  }
  const { store, verified, inSync, waitingFor, database } = sessions;
  return { services, store, verified, inSync, waitingFor, database };
}

export function sameReport(a: NodeReport | undefined, b: NodeReport): boolean {
  return (
    a !== undefined &&
    a.services === b.services &&
    a.store === b.store &&
    a.verified === b.verified &&
    a.inSync === b.inSync &&
    a.waitingFor === b.waitingFor &&
    a.database === b.database &&
    a.met === b.met
  );
}
