/**
 * A promise seen broken: by which checker, when, and what was seen. Checkers throw it, and the run ends there, because
 * what follows a broken promise proves nothing.
 */

export class Violation extends Error {
  readonly checker: string;

  constructor(checker: string, what: string) {
    super(`${checker}: ${what}`);
    this.name = "Violation";
    this.checker = checker;
  }
}
