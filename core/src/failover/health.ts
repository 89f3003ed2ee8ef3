/**
 * How able a node is to serve, as one number (rules R27 and G6): each ability outweighs all that follow it, since
 * clients reach nothing without the link, and services do nothing without the process that runs them.
 */

import type { Health } from "../heartbeat/beat.js";
import { saysClientLink } from "./client-side.js";
import { pathAlive } from "./paths.js";
import type { State } from "./state.js";

export const fullHealthScore = 15;

export function healthScore(health: Health): number {
  return (
    (health.clientLink ? 8 : 0) + (health.node ? 4 : 0) + (health.services ? 2 : 0) + (health.store ? 1 : 0)
  );
}

/** What a node cannot do, in the words of its health. */
export function lacking(health: Health): string {
  const names = Object.entries(health).filter(([, works]) => !works);
  return names.map(([name]) => name).join(", ");
}

/** Every path of the client class carries beats both ways (rule R25). Where there is none, health alone tells. */
export function clientPathsTwoWay(state: State): boolean {
  const client = state.paths.filter((path) => path.class === "client");
  return client.every((path) => path.twoWay && pathAlive(state, path));
}

export function ownHealth(state: State): Health {
  const node = state.nodeUp && state.nodeSilenceMs < state.settings.hangLimitMs;
  return {
    clientLink: saysClientLink(state),
    node,
    services: node && (state.report?.services ?? false),
    store: node && (state.report?.store ?? false) && !state.persistFails,
  };
}

export function ownScore(state: State): number {
  return healthScore(ownHealth(state));
}

export function peerScore(state: State): number {
  return state.peer.beat === undefined ? 0 : healthScore(state.peer.beat.health);
}
