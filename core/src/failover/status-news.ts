/**
 * What of a state is news when it changes: all that status says and people, monitors or the other node act on, without
 * ages, measurements and the words of the moment, which change with every tick and can wait for the next second.
 */

import { clientLinkWorks } from "./client-side.js";
import { ownScore } from "./health.js";
import { directionOf } from "./paths.js";
import type { State } from "./state.js";

/** Values to be compared one by one with those of the state before: see `sameNews`. */
export type StatusNews = readonly (string | number | boolean | object | undefined)[];

export function statusNews(state: State): StatusNews {
  const { peer, report, failback, announce } = state;
  const { beat } = peer;
  return [
    state.role,
    state.epoch,
    state.highestEpoch,
    state.reason,
    state.wait?.subject,
    state.intents,
    state.settings,
    state.stopping,
    state.fenced === undefined,
    state.role === "active" ? failback.waiting : undefined,
    announce?.agreement,
    // This node, as far as it is able to serve.
    state.nodeUp,
    ownScore(state),
    state.link.carrier,
    clientLinkWorks(state),
    report?.services,
    report?.store,
    report?.verified,
    report?.inSync,
    report?.database,
    report?.met,
    // The other one, as it says itself.
    peer.dead,
    beat?.role,
    beat?.epoch,
    beat?.verified,
    beat?.inSync,
    beat?.configDigest,
    beat?.health.clientLink,
    beat?.health.node,
    beat?.health.services,
    beat?.health.store,
    ...state.alarms.flatMap(({ code, detail }) => [code, detail]),
    ...state.paths.map((path) => directionOf(state, path)),
  ];
}

export function sameNews(before: StatusNews, after: StatusNews): boolean {
  return before.length === after.length && before.every((value, at) => value === after[at]);
}
