/** The suite for session stores accepts the smallest one that keeps its file, and refuses what breaks the contract. */

import assert from "node:assert/strict";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { outlivesKill, setsDamagedAside } from "@understudy/core/conformance/store-kills";
import { listsFiltered, listsInPages } from "@understudy/core/conformance/store-lists";
import { counts, listsRunning, rollsBack } from "@understudy/core/conformance/store-rows";
import {
  createMemoryRows,
  type SessionRow,
  type SessionStore,
  StoreFailure,
  type StoreOpening,
} from "@understudy/core/public";
import { refuses } from "./suite-kit.js";

interface Kept {
  readonly rows: readonly SessionRow[];
  readonly meta: readonly (readonly [string, string])[];
}

function parsed(text: string): Kept {
  try {
    return JSON.parse(text) as Kept;
  } catch (cause) {
    throw new StoreFailure("corrupt", "the file is no JSON", cause);
  }
}

/** All rows as one JSON text, written as a whole by every commit: right, and of no use for more than a test. */
function fileStore(path: string): SessionStore {
  const rows = createMemoryRows();
  const text = () => JSON.stringify({ rows: [...rows.rows()], meta: [...rows.meta()] });
  const write = (file: string) => {
    writeFileSync(`${file}.new`, text());
    renameSync(`${file}.new`, file);
  };
  const fill = (file: string) => {
    const kept = parsed(existsSync(file) ? readFileSync(file, "utf8") : "");
    rows.replaceAll(kept.rows, kept.meta);
  };
  return {
    ...rows,
    open(): StoreOpening {
      if (!existsSync(path)) {
        write(path);
        return { found: false, setAside: undefined };
      }
      try {
        fill(path);
        return { found: true, setAside: undefined };
      } catch (error) {
        const movedTo = `${path}.damaged`;
        renameSync(path, movedTo);
        write(path);
        return { found: false, setAside: { movedTo, why: String(error) } };
      }
    },
    close() {},
    commit() {
      rows.commit();
      write(path);
    },
    size: () => ({ running: rows.running, ended: rows.ended, bytes: readFileSync(path).length }),
    async snapshot(file, progress) {
      write(file);
      progress(1);
    },
    replaceWith(file) {
      fill(file);
      renameSync(file, path);
    },
    describe: () => path,
  };
}

type Change = (right: SessionStore, path: string) => Partial<SessionStore>;

const madeBy =
  (change: Change) =>
  (folder: string): SessionStore => {
    const path = join(folder, "rows.json");
    const right = fileStore(path);
    return { ...right, ...change(right, path) };
  };

test("accepts one that keeps the contract", () => {
  assert.ok(outlivesKill(madeBy(() => ({}))));
  assert.ok(setsDamagedAside(madeBy(() => ({}))));
  for (const work of [listsInPages, listsFiltered, listsRunning, counts, rollsBack])
    inPlace(work, () => ({}));
});

test("asks nothing of one that keeps nothing in its folder", () => {
  const nowhere = madeBy(() => ({}));
  const elsewhere = mkdtempSync(join(tmpdir(), "understudy-store-"));
  try {
    assert.equal(
      outlivesKill(() => nowhere(elsewhere)),
      false,
    );
    assert.equal(
      setsDamagedAside(() => nowhere(elsewhere)),
      false,
    );
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

function refusesAtKill(wrong: string, why: RegExp, change: Change): void {
  refuses(wrong, why, () => outlivesKill(madeBy(change)));
}

refusesAtKill("writes at its close alone", /found|a kill damages/, (right, path) => {
  const before = `${path}.held`;
  return {
    commit() {
      if (existsSync(path)) renameSync(path, before);
      right.commit();
      renameSync(path, before);
    },
    close() {
      if (existsSync(before)) renameSync(before, path);
    },
    size: () => ({ running: 0, ended: 0, bytes: 0 }),
  };
});
refusesAtKill("is always one commit behind", /loses nothing that was committed/, (right, path) => ({
  commit() {
    copyFileSync(path, `${path}.before`);
    right.commit();
    copyFileSync(path, `${path}.after`);
    copyFileSync(`${path}.before`, path);
    // What it should be is there at the next commit.
    renameSync(`${path}.after`, `${path}.before`);
  },
}));
refusesAtKill("gives a promise for a commit", /commit is synchronous/, (right) => ({
  commit: (async () => right.commit()) as () => void,
}));

function refusesDamaged(wrong: string, why: RegExp, change: Change): void {
  refuses(wrong, why, () => setsDamagedAside(madeBy(change)));
}

const opening =
  (change: (right: StoreOpening) => StoreOpening): Change =>
  (right) => ({
    open: () => change(right.open()),
  });
refusesDamaged(
  "deletes what is damaged",
  /moved away, never deleted/,
  opening((right) => {
    if (right.setAside !== undefined) rmSync(right.setAside.movedTo);
    return right;
  }),
);
refusesDamaged(
  "says nothing of the damage",
  /did not verify/,
  opening((right) => ({ ...right, setAside: undefined })),
);
refusesDamaged(
  "says that it found what was damaged",
  /counts as none/,
  opening((right) => ({ ...right, found: true })),
);

type Work = (place: { folder: string; open(): SessionStore }) => void;

function inPlace(work: Work, change: Change): void {
  const folder = mkdtempSync(join(tmpdir(), "understudy-store-"));
  const open = () => {
    const store = madeBy(change)(folder);
    store.open();
    return store;
  };
  try {
    work({ folder, open });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function refusesIn(work: Work, wrong: string, change: Change): void {
  refuses(wrong, /^AssertionError/, () => inPlace(work, change));
}

refusesIn(listsInPages, "lists in any order", (right) => ({
  list: (filter) => [...right.list(filter)].reverse(),
}));
refusesIn(listsFiltered, "lists ended ones unasked", (right) => ({
  list: (filter) => right.list({ ...filter, includeEnded: true }),
}));
refusesIn(listsRunning, "takes ended ones for running", (right) => ({
  runningOf: (user) => right.list({ user, includeEnded: true, limit: 1000 }),
}));
refusesIn(counts, "counts ended ones", (right) => ({
  countByAgent() {
    const counted = new Map<string, number>();
    for (const { agent } of right.list({ includeEnded: true, limit: 1000 }))
      counted.set(agent, (counted.get(agent) ?? 0) + 1);
    return counted;
  },
}));
refusesIn(rollsBack, "keeps values that were rolled back", (right) => {
  const kept = new Map<string, string>();
  return {
    setMeta(key, value) {
      kept.set(key, value);
      right.setMeta(key, value);
    },
    getMeta: (key) => kept.get(key) ?? right.getMeta(key),
  };
});
