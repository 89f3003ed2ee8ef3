/** What the files to be imported leave open, as the person answers it on the command line, and what is still missing. */

import type { Entry } from "./report.js";

export interface Answers {
  /** Name and own addresses of each node, in the order given: the first is the primary where nothing else says so. */
  readonly nodes: readonly NodeAnswer[];
  /** HA addresses with their prefix length, as text. */
  readonly haAddresses: readonly string[];
  /** Addresses of primary and secondary on a further network, by the interface that the file names. */
  readonly paths: ReadonlyMap<string, readonly [primary: string, secondary: string]>;
  readonly cluster: string | undefined;
  /** The dead time of the file becomes ours. */
  readonly keepTimes: boolean;
  /** keepalived's `--config-id`: which lines that begin with @ count. */
  readonly configId: string | undefined;
}

export interface NodeAnswer {
  readonly name: string;
  readonly addresses: readonly string[];
}

export const noAnswers: Answers = {
  nodes: [],
  haAddresses: [],
  paths: new Map(),
  cluster: undefined,
  keepTimes: false,
  configId: undefined,
};

/** Something that only the owner knows. */
export interface Missing {
  /** "--address NAME=IP" */
  readonly flag: string;
  readonly why: string;
}

/** What an importer makes of files. Pure. */
export interface Imported {
  /** The YAML file, which the loader accepts; undefined while something is missing. */
  readonly text: string | undefined;
  readonly entries: readonly Entry[];
  /** What is worth knowing beyond the single lines. */
  readonly notes: readonly string[];
  readonly missing: readonly Missing[];
}
