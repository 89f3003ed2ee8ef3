/** What the parts of pulse tell the loop: an event of the decision core without its time, which only the loop knows. */

import type { Event } from "../failover/event.js";

/** `Omit` that keeps the union apart. */
type WithoutTime<E> = E extends unknown ? Omit<E, "atMs"> : never;

export type Happening = WithoutTime<Event>;
