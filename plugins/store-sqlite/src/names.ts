/** Keeps names that many rows share, agents and origins, once: a row holds a small number. */

import type { DatabaseSync } from "node:sqlite";
import { StoreFailure } from "@understudy/core/public";
import { nameCheck } from "./session-keys.js";

export interface Names {
  name(number: number): string | undefined;
  /** The number of a name that has one. */
  known(name: string): number | undefined;
  /** The name's number; a new one is given to `insert` first, to be kept within the present transaction. */
  number(name: string, insert: (number: number, name: string) => void): number;
  /** The transaction stands. */
  settle(): void;
  /** The transaction was rolled back. */
  takeBack(): void;
}

export function createNames(database: DatabaseSync, table: "agents" | "origins"): Names {
  const byName = new Map<string, number>();
  const byNumber = new Map<number, string>();
  let unsettled: number[] = [];
  let next = 1;

  function remember(number: number, name: string): void {
    byName.set(name, number);
    byNumber.set(number, name);
    next = Math.max(next, number + 1);
  }

  for (const row of database.prepare(`SELECT number, name, proof FROM ${table}`).all()) {
    const number = Number(row.number);
    const name = String(row.name);
    if (row.proof !== nameCheck(number, name)) {
      throw new StoreFailure("corrupt", `the name ${number} of ${table} does not match its check`);
    }
    remember(number, name);
  }

  return {
    name: (number) => byNumber.get(number),
    known: (name) => byName.get(name),
    number(name, insert) {
      const known = byName.get(name);
      if (known !== undefined) return known;
      const number = next;
      insert(number, name);
      remember(number, name);
      unsettled.push(number);
      return number;
    },
    settle() {
      if (unsettled.length > 0) unsettled = [];
    },
    takeBack() {
      for (const number of unsettled) {
        byName.delete(byNumber.get(number) ?? "");
        byNumber.delete(number);
      }
      unsettled = [];
    },
  };
}
