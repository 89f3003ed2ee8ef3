/**
 * The part of a machine that goes on when its processes do not: the HA address, the lease behind it, the claim frames
 * that end it (rules R1 and R5). It outlives a killed or paused pulse, as a real kernel does.
 */

export interface Kernel {
  readonly held: boolean;
  /** Whether the address would answer, wires aside. */
  answers(nowMs: number): boolean;
  /** Takes what `begin` began; a lease dropped in between does not begin. */
  acquire(nowMs: number): void;
  begin(): void;
  /** Latched: a lease that has ended is not revived (rule R1). */
  renew(nowMs: number): void;
  drop(): void;
  release(): void;
  arm(epochs: readonly number[]): void;
  /** Every arriving claim frame passes here, whether or not any process is alive. Returns whether it ended a lease. */
  claimFrame(epoch: number): boolean;
  knowsClaim(epoch: number): boolean;
}

export function makeKernel(leaseMs: number): Kernel {
  let held = false;
  let dropped = false;
  let leaseUntilMs = Number.NEGATIVE_INFINITY;
  let armed: ReadonlySet<number> = new Set();
  return {
    get held() {
      return held;
    },
    answers: (nowMs) => held && nowMs < leaseUntilMs,
    begin: () => {
      dropped = false;
    },
    acquire: (nowMs) => {
      held = true;
      if (!dropped) leaseUntilMs = nowMs + leaseMs;
    },
    renew: (nowMs) => {
      if (nowMs < leaseUntilMs) leaseUntilMs = nowMs + leaseMs;
    },
    drop: () => {
      dropped = true;
      leaseUntilMs = Number.NEGATIVE_INFINITY;
    },
    release: () => {
      held = false;
      leaseUntilMs = Number.NEGATIVE_INFINITY;
    },
    arm: (epochs) => {
      armed = new Set(epochs);
    },
    knowsClaim: (epoch) => armed.has(epoch),
    claimFrame: (epoch) => {
      if (!armed.has(epoch) || leaseUntilMs === Number.NEGATIVE_INFINITY) return false;
      leaseUntilMs = Number.NEGATIVE_INFINITY;
      return true;
    },
  };
}
