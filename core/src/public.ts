/** All that a plugin may import. What is exported here is the contract, versioned by PLUGIN_API_VERSION. */

export { z } from "zod";
export { commandOption } from "./command/command-schema.js";
export type { Guard, GuardOptions } from "./command/guard.js";
export { startGuard } from "./command/guard.js";
export type {
  OperatedService,
  OperatedServiceOptions,
  RunState,
  ServiceOperations,
} from "./command/operated-service.js";
export { operatedService } from "./command/operated-service.js";
export type { Command, CommandOptions, CommandResult } from "./command/run-command.js";
export {
  commandText,
  inheritedEnvironment,
  programOf,
  runCommand,
  signalGroup,
} from "./command/run-command.js";
export { duration, formatDuration } from "./config/duration.js";
export type { ErrorCatalogue, ErrorEntry } from "./errors/error.js";
export { errorsOf, UnderstudyError } from "./errors/error.js";
export { serviceError } from "./errors/service.js";
export type {
  Acknowledged,
  Acknowledgement,
  CreateRequest,
  ListRequest,
  Refusal,
  Refused,
  Session,
  SessionApi,
} from "./node/session-api.js";
export type {
  AddressAnswer,
  AddressBackend,
  AddressReports,
  Arbiter,
  ClaimToken,
  Fence,
  Fenced,
  HostProcess,
  Observer,
  Outcome,
  PathClass,
  PluginKind,
  ProbeTarget,
  Protection,
  Ruling,
  SegmentAgreement,
  Service,
  ServiceHealth,
  Side,
  TimelineEntry,
  Transport,
} from "./plugin/contract.js";
export type { Plugin, PluginDescription } from "./plugin/define-plugin.js";
export { definePlugin, PLUGIN_API_VERSION } from "./plugin/define-plugin.js";
export type {
  ProcessView,
  PulseView,
  SessionsView,
  StatusReader,
  StatusView,
} from "./plugin/status-view.js";
export type {
  Capability,
  Clock,
  Folders,
  HaAddress,
  Log,
  NodeIdentity,
  PathIdentity,
  TokenVerifier,
} from "./plugin/tokens.js";
export { capabilities } from "./plugin/tokens.js";
export type { MemoryRows } from "./sessions/memory-rows.js";
export { createMemoryRows } from "./sessions/memory-rows.js";
export type {
  RowFilter,
  SessionRow,
  SessionStore,
  StoreFailureKind,
  StoreOpening,
  StoreSize,
} from "./sessions/store.js";
export { StoreFailure } from "./sessions/store.js";
