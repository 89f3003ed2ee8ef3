/**
 * A promise seen broken: by which checker, when, and what was seen. Checkers throw it, and the run ends there, because
 * what follows a broken promise proves nothing.
 */

/** Every checker there is; README.md says what each claims. */
export const checkers = [
  "one answers",
  "epochs",
  "stalls",
  "lease",
  "goodbye",
  "needless claim",
  "cut off",
  "unverified claim",
  "operator",
  "stray address",
  "permits",
  "failback",
  "grant",
  "veto",
  "fence",
  "settles",
  "peace",
  "acknowledged",
  "belief",
  "equal",
  "one session",
  "no throw",
  "wall clock",
] as const;
export type Checker = (typeof checkers)[number];

export class Violation extends Error {
  readonly checker: Checker;

  constructor(checker: Checker, what: string) {
    super(`${checker}: ${what}`);
    this.name = "Violation";
    this.checker = checker;
  }
}
