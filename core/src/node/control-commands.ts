/**
 * Every command of the operator but `reload`, in terms of the node's parts. Arguments come from another process, so each
 * is checked before it is used.
 */

import { z } from "zod";
import { nodeError } from "../errors/node.js";
import type { OperatorRequest } from "../failover/event.js";
import type { NodeStatus } from "../ipc/control.js";
import { fitsFromEnd, fitsFromFront } from "./answer-size.js";
import type { Handlers } from "./control-server.js";
import type { NodeLink } from "./node-link.js";
import type { PulseClient } from "./pulse-client.js";
import type { Refused } from "./session-api.js";
import type { SessionEngine } from "./session-engine.js";
import type { Timeline } from "./timeline.js";
import { type KeptEntry, mergeTimelines, notedOffsets } from "./timeline-merge.js";
import type { Tokens } from "./tokens.js";

export interface CommandParts {
  status(): NodeStatus;
  readonly pulse: PulseClient;
  readonly link: NodeLink;
  readonly engine: SessionEngine | undefined;
  readonly tokens: Tokens;
  readonly timeline: Timeline;
  readonly keys: {
    now(): { readonly ids: readonly number[]; readonly signWith: number };
    /** Reads the key file again and puts it in force. */
    reload(): void;
  };
  reload(): Promise<{ readonly message: string }>;
}

/** The core bounds every move by 10 s. */
const operatorLimitMs = 15_000;

export function controlCommands(parts: CommandParts): Handlers {
  return {
    status: () => parts.status(),
    ...roleCommands(parts),
    ...keyCommands(parts),
    reload: () => parts.reload(),
    timeline: (args) => showTimeline(parts, checked(timelineArgs, args)),
    ...sessionCommands(parts),
    ...tokenCommands(parts),
  };
}

const side = z.enum(["primary", "secondary"]);
const switchoverArgs = z.object({ to: side.optional(), force: z.boolean() });
const maintenanceArgs = z.object({ on: z.boolean(), force: z.boolean() });
const timelineArgs = z.object({ limit: z.int().min(1).max(100_000), local: z.boolean() });
const listArgs = z.object({
  user: z.string().optional(),
  agent: z.string().optional(),
  includeEnded: z.boolean().optional(),
  after: z.string().optional(),
  limit: z.int().min(1).max(1000),
});
const idArgs = z.object({ id: z.string().min(1).max(100) });
const pageArgs = z.object({ after: z.string().optional() });
const importArgs = z.object({ lines: z.array(z.string()) });
const tokenArgs = z.object({
  name: z.string().trim().min(1, "a token needs a name").max(200),
  scope: z.enum(["read", "write"]),
});

function checked<T>(schema: z.ZodType<T>, args: unknown): T {
  const parsed = schema.safeParse(args);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(
    ({ path, message }) => `${path.join(".") || "arguments"}: ${message}`,
  );
  throw nodeError("NODE_WRONG_ARGUMENT", mistakes.join("; "));
}

async function askPulse(pulse: PulseClient, request: OperatorRequest): Promise<{ readonly message: string }> {
  if (!pulse.isConnected) throw nodeError("NODE_PULSE_GONE", "pulse is not running on this node");
  const answer = await pulse.ask(request, operatorLimitMs);
  if (answer === undefined) throw nodeError("NODE_PULSE_GONE", "pulse ended or did not answer");
  if (!answer.ok) throw nodeError("NODE_REFUSED", answer.message);
  return { message: answer.message };
}

function roleCommands({
  pulse,
}: CommandParts): Pick<Handlers, "switchover" | "clearPreference" | "maintenance" | "peerConfirmDead"> {
  return {
    switchover: (args) => {
      const { to, force } = checked(switchoverArgs, args);
      return askPulse(pulse, { kind: "switchover", to, force });
    },
    clearPreference: () => askPulse(pulse, { kind: "clearPreference" }),
    peerConfirmDead: () => askPulse(pulse, { kind: "confirmDead" }),
    maintenance: (args) => {
      const { on, force } = checked(maintenanceArgs, args);
      return askPulse(pulse, { kind: "maintenance", on, force });
    },
  };
}

function keyCommands(parts: CommandParts): Pick<Handlers, "keysChanged" | "keyStatus"> {
  return {
    keysChanged() {
      parts.keys.reload();
      const told = parts.pulse.send({ type: "keysChanged" });
      const { ids, signWith } = parts.keys.now();
      const both = `keys ${ids.join(", ")} are accepted, key ${signWith} signs`;
      if (!told)
        throw nodeError("NODE_PULSE_GONE", `pulse reads the keys at its start; in this process ${both}`);
      return { message: both };
    },
    keyStatus() {
      const { ids, signWith } = parts.keys.now();
      const peer = parts.link.peerKeys;
      return { own: ids, ownSigns: signWith, peer: peer?.ids, peerSigns: peer?.signWith };
    },
  };
}

async function showTimeline(
  parts: CommandParts,
  args: { readonly limit: number; readonly local: boolean },
): Promise<{
  readonly entries: readonly KeptEntry[];
  readonly peerIncluded: boolean;
  readonly note: string | undefined;
}> {
  const own = parts.timeline.newest(args.limit);
  const peer = args.local ? [] : await parts.link.askTimeline(args.limit);
  // Measurements stand in the whole timeline, also where the entries asked for have none.
  const offsets = notedOffsets(parts.timeline.newest(Infinity));
  const merged = mergeTimelines(own, peer ?? [], offsets).slice(-args.limit);
  const entries = merged.slice(merged.length - fitsFromEnd(merged));
  const notes = [
    peer === undefined ? "The other node did not answer: only this node's record is shown." : undefined,
    entries.length < merged.length ? "Older entries stand in timeline.jsonl of the state folder." : undefined,
  ].filter((note) => note !== undefined);
  return {
    entries,
    peerIncluded: !args.local && peer !== undefined,
    note: notes.length === 0 ? undefined : notes.join(" "),
  };
}

type SessionHandlers = Pick<
  Handlers,
  "sessionsList" | "sessionsShow" | "sessionsEnd" | "sessionsExport" | "sessionsImport" | "peerForget"
>;

function sessionCommands(parts: CommandParts): SessionHandlers {
  const engine = () => {
    if (parts.engine !== undefined) return parts.engine;
    throw nodeError("NODE_NO_SESSIONS", "this pair keeps no sessions");
  };
  return {
    async sessionsList(args) {
      const { api } = engine();
      const { user, agent, includeEnded, after, limit } = checked(listArgs, args);
      const page = await api.list({
        limit,
        ...(user === undefined ? {} : { user }),
        ...(agent === undefined ? {} : { agent }),
        ...(includeEnded === undefined ? {} : { includeEnded }),
        ...(after === undefined ? {} : { after }),
      });
      if (!page.ok) throw refused(page);
      const sessions = page.sessions.slice(0, fitsFromFront(page.sessions));
      const next = sessions.length < page.sessions.length ? sessions.at(-1)?.id : page.next;
      return { sessions, next, stale: api.stale };
    },
    async sessionsShow(args) {
      const found = await engine().api.get(checked(idArgs, args).id);
      if (!found.ok) throw refused(found);
      return { session: found.session };
    },
    async sessionsEnd(args) {
      const ended = await engine().api.end(checked(idArgs, args).id);
      if (!ended.ok) throw refused(ended);
      return { session: ended.session, acknowledgement: ended.acknowledgement };
    },
    async sessionsExport(args) {
      const page = await engine().exportPage(checked(pageArgs, args).after);
      const lines = page.lines.slice(0, fitsFromFront(page.lines));
      return { lines, next: lines.length < page.lines.length ? idOf(lines.at(-1)) : page.next };
    },
    sessionsImport: (args) => engine().importLines(checked(importArgs, args).lines),
    async peerForget() {
      const { ok, message } = await engine().forgetPeer();
      if (!ok) throw nodeError("NODE_REFUSED", message);
      parts.timeline.record("operator", `the operator had the other node forgotten: ${message}`, ["R19"]);
      return { message };
    },
  };
}

/** Of a line that the engine exported: where the next page begins. */
function idOf(line: string | undefined): string | undefined {
  return line === undefined ? undefined : (JSON.parse(line) as { readonly id: string }).id;
}

function refused({ message, retryAfterMs }: Refused): Error {
  const wait = retryAfterMs === undefined ? "" : `; try again in ${Math.ceil(retryAfterMs)} ms`;
  return nodeError("NODE_SESSION_REFUSED", `${message}${wait}`);
}

function tokenCommands({
  tokens,
  timeline,
}: CommandParts): Pick<Handlers, "tokenCreate" | "tokenList" | "tokenRevoke"> {
  return {
    async tokenCreate(args) {
      const { name, scope } = checked(tokenArgs, args);
      const made = await tokens.create(name, scope);
      timeline.record("token", `the operator made token ${made.id} (${name}, ${scope})`, []);
      return made;
    },
    tokenList: () => ({
      tokens: tokens.list().map(({ id, name, scope, createdAt, revokedAt }) => ({
        id,
        name,
        scope,
        createdAt,
        revokedAt,
      })),
    }),
    async tokenRevoke(args) {
      const { id, name } = await tokens.revoke(checked(idArgs, args).id);
      timeline.record("token", `the operator revoked token ${id} (${name})`, []);
      return { message: `token ${id} (${name}) is revoked; the other node hears of it when the link is up` };
    },
  };
}
