/**
 * What the command line asks of a running node over the unix socket `<run>/node.sock` (node listens): one JSON object a
 * line. Each request has an id and gets one `result` or `error`; `watch` gets many `data` before it.
 */

import type { ArbiterStatus } from "../node/arbiters.js";
import type { FenceStatus } from "../node/fences.js";
import type { SessionStatus } from "../node/session-engine.js";
import type { TimelineEntry } from "../plugin/contract.js";
import type { PulseStatus } from "./messages.js";

export interface ServiceStatus {
  readonly name: string;
  readonly description: string;
  readonly health: "healthy" | "failing" | "stopped";
  readonly serving: boolean;
  /** What failed last and is being tried again, one sentence. */
  readonly problem: string | undefined;
}

export interface NodeStatus {
  readonly version: string;
  readonly cluster: string;
  readonly node: string;
  readonly side: "primary" | "secondary";
  readonly peerName: string;
  readonly haAddresses: readonly string[];
  readonly configDigest: string;
  readonly startedAt: string;
  /** Undefined while pulse is not there, or does not answer: what it said before holds no more. */
  readonly pulse: PulseStatus | undefined;
  /** How long pulse has said nothing although it is there: it hangs or is stopped. Absent while it speaks. */
  readonly pulseSilentMs?: number | undefined;
  /** Undefined when the config has `sessions: none`. */
  readonly sessions: SessionStatus | undefined;
  readonly services: readonly ServiceStatus[];
  readonly arbiters: readonly ArbiterStatus[];
  readonly fences: readonly FenceStatus[];
  readonly observers: readonly {
    readonly name: string;
    readonly description: string;
    readonly dropped: number;
  }[];
  /** The TLS link of the main threads, one line. */
  readonly nodeLink: string;
  /** The node process itself. */
  readonly pid: number;
  readonly rssBytes: number;
  readonly cpuMs: number;
}

/** Every command a node understands: its arguments and its result. */
export interface ControlCommands {
  readonly status: { readonly args: Record<string, never>; readonly result: NodeStatus };
  /** Streams a NodeStatus at every change and every second until the connection ends. */
  readonly watch: { readonly args: Record<string, never>; readonly result: never };
  readonly switchover: {
    readonly args: { readonly to?: "primary" | "secondary"; readonly force: boolean };
    readonly result: { readonly message: string };
  };
  readonly clearPreference: {
    readonly args: Record<string, never>;
    readonly result: { readonly message: string };
  };
  readonly maintenance: {
    readonly args: { readonly on: boolean; readonly force: boolean };
    readonly result: { readonly message: string };
  };
  readonly reload: { readonly args: Record<string, never>; readonly result: { readonly message: string } };
  /** The key file was changed on this node. */
  readonly keysChanged: {
    readonly args: Record<string, never>;
    readonly result: { readonly message: string };
  };
  /** Which keys the other node has signed with since its start (rule R29), and can verify. */
  readonly keyStatus: {
    readonly args: Record<string, never>;
    readonly result: {
      readonly own: readonly number[];
      readonly ownSigns: number;
      readonly peer: readonly number[] | undefined;
      readonly peerSigns: number | undefined;
    };
  };
  readonly peerConfirmDead: {
    readonly args: Record<string, never>;
    readonly result: { readonly message: string };
  };
  readonly peerForget: {
    readonly args: Record<string, never>;
    readonly result: { readonly message: string };
  };
  readonly timeline: {
    readonly args: { readonly limit: number; readonly local: boolean };
    readonly result: {
      readonly entries: readonly TimelineEntry[];
      readonly peerIncluded: boolean;
      readonly note: string | undefined;
    };
  };
  readonly sessionsList: {
    readonly args: {
      readonly user?: string;
      readonly agent?: string;
      readonly includeEnded?: boolean;
      readonly after?: string;
      readonly limit: number;
    };
    readonly result: {
      readonly sessions: readonly unknown[];
      readonly next: string | undefined;
      readonly stale: boolean;
    };
  };
  readonly sessionsShow: {
    readonly args: { readonly id: string };
    readonly result: { readonly session: unknown };
  };
  readonly sessionsEnd: {
    readonly args: { readonly id: string };
    readonly result: { readonly session: unknown; readonly acknowledgement: string };
  };
  readonly sessionsExport: {
    readonly args: { readonly after?: string };
    readonly result: { readonly lines: readonly string[]; readonly next: string | undefined };
  };
  readonly sessionsImport: {
    readonly args: { readonly lines: readonly string[] };
    readonly result: { readonly added: number; readonly known: number; readonly wrong: readonly string[] };
  };
  readonly tokenCreate: {
    readonly args: { readonly name: string; readonly scope: "read" | "write" };
    readonly result: { readonly token: string; readonly id: string };
  };
  readonly tokenList: {
    readonly args: Record<string, never>;
    readonly result: {
      readonly tokens: readonly {
        readonly id: string;
        readonly name: string;
        readonly scope: string;
        readonly createdAt: string;
        readonly revokedAt: string | undefined;
      }[];
    };
  };
  readonly tokenRevoke: {
    readonly args: { readonly id: string };
    readonly result: { readonly message: string };
  };
}

export type ControlCommand = keyof ControlCommands;

export interface ControlRequest<C extends ControlCommand = ControlCommand> {
  readonly id: string;
  readonly command: C;
  readonly args: ControlCommands[C]["args"];
}

export interface ControlError {
  readonly code: string;
  readonly message: string;
  readonly meaning: string;
  readonly todo: string;
}

export type ControlReply =
  | { readonly id: string; readonly type: "data"; readonly data: unknown }
  | { readonly id: string; readonly type: "result"; readonly result: unknown }
  | { readonly id: string; readonly type: "error"; readonly error: ControlError };
