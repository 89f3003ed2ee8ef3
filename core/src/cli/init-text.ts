/** What `understudy init` asks, and the commented config file it makes of the answers. Pure. */

import { parseHostAddress } from "../config/ip-text.js";

export interface Answers {
  readonly cluster: string;
  /** "name=address" or "name=address,address" */
  readonly primary: string;
  readonly secondary: string;
  /** "address/prefix", several with commas */
  readonly address: string;
}

export interface Question {
  readonly name: keyof Answers;
  readonly placeholder: string;
  readonly help: string;
  readonly text: string;
  readonly fallback: string;
  /** What is wrong with an answer, for the person who gave it. */
  problem(answer: string): string | undefined;
}

export const questions: readonly Question[] = [
  {
    name: "cluster",
    placeholder: "name",
    help: "name of the pair",
    text: "Name of the pair",
    fallback: "understudy",
    problem: (answer) =>
      /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}$/.test(answer)
        ? undefined
        : "letters, digits, dots and hyphens, at most 32",
  },
  {
    name: "primary",
    placeholder: "name=address",
    help: "host name and own address of the node that normally serves; more addresses with commas",
    text: "Primary, as name=address (the node that normally serves)",
    fallback: "",
    problem: nodeProblem,
  },
  {
    name: "secondary",
    placeholder: "name=address",
    help: "host name and own address of the node that stands by",
    text: "Secondary, as name=address (the node that stands by)",
    fallback: "",
    problem: nodeProblem,
  },
  {
    name: "address",
    placeholder: "address/prefix",
    help: "the HA address that clients use, such as 10.0.0.4/24; several with commas",
    text: "HA address that the clients use, with its prefix length",
    fallback: "",
    problem: (answer) => firstProblem(answer.split(","), true),
  },
];

function nodeProblem(answer: string): string | undefined {
  const [name, addresses, more] = answer.split("=");
  if (!name || !addresses || more !== undefined) return "write it as name=address, such as node-a=10.0.0.2";
  return firstProblem(addresses.split(","), false);
}

function firstProblem(texts: readonly string[], withPrefix: boolean): string | undefined {
  for (const text of texts) {
    const parsed = parseHostAddress(text);
    if ("problem" in parsed) return `${text.trim() || "an address"} ${parsed.problem}`;
    if (withPrefix && parsed.prefixLength === undefined) {
      return `${text} must have its prefix length, such as ${parsed.address}/${parsed.family === 4 ? 24 : 64}`;
    }
    if (!withPrefix && parsed.prefixLength !== undefined) return `${text} must be without a prefix length`;
  }
  return undefined;
}

export function configText(answers: Answers, keyFile: string): string {
  return `# Understudy: one file for both nodes. What is not said here has a default: see CONFIG.md,
# or \`understudy config schema\`. After a change: understudy check, copy it to the other node,
# then understudy reload on both.

cluster: ${scalar(answers.cluster)}

# Each node with its own address; the first is the primary, which normally serves.
nodes:
${nodeLine(answers.primary)}
${nodeLine(answers.secondary)}

# The address that clients use. It is always on one node, or on none.
haAddress: ${listOf(answers.address)}
${keyFile === "/etc/understudy/key" ? "" : `\nkeyFile: ${scalar(keyFile)}\n`}
# How the nodes watch each other. Each more path makes the pair safer; \`understudy doctor\` says
# whether both hosts can bear the profile fast.
#heartbeat:
#  profile: standard
#  paths:
#    - { plugin: udp, class: client }
#    - { plugin: udp, class: private, ... }

# What runs at the HA address: none, a systemd unit, a command, or our session broker.
# See \`understudy plugins show service-systemd\`.
#services:
#  - { plugin: systemd, unit: my-broker.service }

# The session store of our broker; none for a service that keeps its own data.
#sessions: sqlite

# auto: the primary takes the address back when it is in sync; manual: an operator does.
#failback: auto
`;
}

function nodeLine(answer: string): string {
  const [name = "", addresses = ""] = answer.split("=");
  return `  ${name.trim()}: ${listOf(addresses)}`;
}

function listOf(text: string): string {
  const parts = text.split(",").map((part) => scalar(part.trim()));
  return parts.length === 1 ? (parts[0] ?? "") : `[${parts.join(", ")}]`;
}

/** Quoted where plain text would mean something to YAML; JSON texts are YAML too. */
function scalar(text: string): string {
  return /^[a-zA-Z0-9][a-zA-Z0-9._/-]*$/.test(text) && !/^[\d.eE+_-]+$/.test(text) ? text : quoted(text);
}

function quoted(text: string): string {
  return /^\d+(\.\d+){3}(\/\d+)?$/.test(text) ? text : JSON.stringify(text);
}
