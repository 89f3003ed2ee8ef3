/**
 * A slow path does not wait for its next beat when it matters (rules R9, R13): a beat may ask for an answer at once on
 * the path it travels. The way there and back is measured so now and then, and a suspicion asks on every slow path that
 * was alive, so that the silence of a medium of one beat a second says something within its round trip.
 */

import type { Beat } from "../heartbeat/beat.js";
import { beatBody } from "./beats.js";
import { linkNoticedAfterMs } from "./client-side.js";
import type { Draft } from "./draft.js";
import { isSlow, lateMs, pathAlive, pathDeadMs, saidLater } from "./paths.js";
import { deadTimeMs } from "./silence.js";
import type { PathView, SlowPathAsked, State, Suspicion } from "./state.js";

/** The round trip of a slow path is measured this often; it costs one more beat. */
const measureEveryMs = 10_000;
/** Old worst cases fade by so much with each measurement. */
const fading = 0.3;

/** The body of beats that go out on a slow path now, and whether they ask. */
export function routineAsks(state: State, path: PathView, atMs: number): boolean {
  if (state.suspicion !== undefined) return true;
  return path.twoWay && (path.roundTripMs === undefined || atMs >= path.nextAskMs);
}

export function asked(path: PathView, atMs: number): PathView {
  return { ...path, nextAskMs: atMs + measureEveryMs };
}

/** A beat that asks is answered where it came from; never more often than the profile beats, whoever asks. */
export function answer(draft: Draft, name: string): void {
  const { state, atMs } = draft;
  const path = state.paths.find((view) => view.name === name);
  if (path === undefined || atMs - path.answeredMs < state.settings.intervalMs) return;
  draft.actions.push({ type: "sendBeat", body: { ...beatBody(state), answers: true }, paths: [name] });
  state.paths = state.paths.map((view) =>
    view === path ? { ...view, answeredMs: atMs, nextBeatMs: atMs + view.intervalMs } : view,
  );
}

/** An answer echoes its question: its echo is as old as the way there and back is long. */
export function measured(path: PathView, beat: Beat, echoAgeMs: number | undefined): PathView {
  if (!beat.answers || echoAgeMs === undefined) return path;
  const { roundTripMs } = path;
  const worst =
    roundTripMs === undefined
      ? echoAgeMs
      : Math.max(echoAgeMs, roundTripMs + fading * (echoAgeMs - roundTripMs));
  return { ...path, roundTripMs: worst };
}

/** The slow paths that were alive: their silence must be waited for. One that was silent already says nothing. */
export function beginAsking(draft: Draft): readonly SlowPathAsked[] {
  const { state, atMs } = draft;
  const alive = state.paths.filter((path) => isSlow(state, path) && pathAlive(state, path));
  ask(draft, alive);
  return alive.map((path) => ({
    path: path.name,
    silenceMs: path.silenceMs,
    nextAskMs: atMs + Math.max(lateMs(state.settings.intervalMs), path.roundTripMs ?? path.intervalMs),
  }));
}

/** For an answer that is needed now. */
export function askSlowPaths(draft: Draft): void {
  const { state } = draft;
  ask(
    draft,
    state.paths.filter((path) => isSlow(state, path) && pathAlive(state, path)),
  );
}

/** Where slow paths alone are left, what the other node says of its client side is asked for once, when it must know. */
export function askAboutLink(draft: Draft): void {
  const { state, atMs } = draft;
  const { lostSinceMs, peerAsked } = state.link;
  if (lostSinceMs === undefined || peerAsked || atMs < lostSinceMs + linkNoticedAfterMs(state)) return;
  state.link = { ...state.link, peerAsked: true };
  askSlowPaths(draft);
}

/** A question or its answer may be lost: asked once more, then with every beat of the path's own rhythm. */
export function askAgain(draft: Draft): void {
  const { state, atMs } = draft;
  const { suspicion } = state;
  if (suspicion === undefined || !suspicion.asked.some(({ nextAskMs }) => atMs >= nextAskMs)) return;
  const due = suspicion.asked.filter(({ nextAskMs }) => atMs >= nextAskMs);
  ask(
    draft,
    state.paths.filter((path) => due.some(({ path: name }) => name === path.name)),
  );
  state.suspicion = {
    ...suspicion,
    asked: suspicion.asked.map((entry) => (due.includes(entry) ? { ...entry, nextAskMs: Infinity } : entry)),
  };
}

function ask(draft: Draft, paths: readonly PathView[]): void {
  if (paths.length === 0) return;
  const { state, atMs } = draft;
  const names = paths.map(({ name }) => name);
  draft.actions.push({ type: "sendBeat", body: { ...beatBody(state), asks: true }, paths: names });
  state.paths = state.paths.map((path) =>
    names.includes(path.name) ? { ...asked(path, atMs), nextBeatMs: atMs + path.intervalMs } : path,
  );
}

/**
 * Whether the slow paths agree that the other node is dead: each that was alive when the suspicion began has been silent
 * for its own time, counted as all silence is (rule R10).
 *
 * - A path that fell silent together with the fast ones is one more witness of the same death. One late beat is enough,
 *   since two media do not fail in the same moment; or an unanswered question, where it works both ways and its round
 *   trip is known. So a serial line of 125 ms a beat delays the verdict by 90 ms at most, a broker 5 ms away by nothing.
 * - A path that was heard after they had fallen silent has shown that they are lost and the node is not. Then it is the
 *   only witness, and must miss two beats, as a lone fast path must miss several.
 * - A path that was silent before does not count: a dead broker is a lost path, never a lost node. A broker that dies at
 *   the very moment of the active node costs the bounded wait above.
 */
export function slowPathsSilent(state: State, suspicion: Suspicion): boolean {
  return suspicion.asked.every((entry) => {
    const path = state.paths.find(({ name }) => name === entry.path);
    return path === undefined || silenceLeftMs(state, path, entry) <= 0;
  });
}

/** How long its death would be waited for, reckoned from the last sign of life, if it died with all its paths now. */
export function takeoverWithinMs(state: State): number {
  const alive = state.paths.filter((path) => pathAlive(state, path));
  const slow = alive.filter((path) => isSlow(state, path));
  const alone = slow.length === alive.length;
  const suspectMs = lateMs(state.settings.intervalMs);
  return slow.reduce((most, path) => {
    if (alone) return Math.max(most, pathDeadMs(state, path));
    const lateLeftMs = lateMs(path.intervalMs);
    const known = path.twoWay && path.roundTripMs !== undefined;
    const answerMs = known ? suspectMs + answerWithinMs(state, path.roundTripMs ?? 0) : Infinity;
    return Math.max(most, Math.min(lateLeftMs, answerMs));
  }, deadTimeMs(state));
}

/** How long until the verdict can fall if nothing is heard, as far as slow paths go; 0 or less: now. */
export function slowSilenceLeftMs(state: State, suspicion: Suspicion): number {
  return suspicion.asked.reduce((most, entry) => {
    const path = state.paths.find(({ name }) => name === entry.path);
    return path === undefined ? most : Math.max(most, silenceLeftMs(state, path, entry));
  }, 0);
}

function silenceLeftMs(state: State, path: PathView, entry: SlowPathAsked): number {
  if (!fellSilentTogether(state, path)) return pathDeadMs(state, path) - path.silenceMs;
  const lateLeftMs = lateMs(path.intervalMs) - path.silenceMs;
  if (!path.twoWay || path.roundTripMs === undefined) return lateLeftMs;
  const answerMs = answerWithinMs(state, path.roundTripMs);
  return Math.min(lateLeftMs, entry.silenceMs + answerMs - path.silenceMs);
}

/** A living node has answered by then: twice the worst way there and back lately, and a beat's lateness for its loop. */
function answerWithinMs(state: State, roundTripMs: number): number {
  return 2 * roundTripMs + lateMs(state.settings.intervalMs);
}

function fellSilentTogether(state: State, path: PathView): boolean {
  return !saidLater(state, path.sequence);
}
