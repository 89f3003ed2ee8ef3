/**
 * The right to acknowledge, lent by pulse for one lease at a time (rule R21). Both processes read the same monotonic
 * clock, so an expiry needs no message.
 */

export interface Permit {
  readonly epoch: number;
  /** CLOCK_MONOTONIC milliseconds. */
  readonly untilMs: number;
}

export interface PermitHolder {
  /** Undefined when there is none or it has expired. */
  current(): Permit | undefined;
}
