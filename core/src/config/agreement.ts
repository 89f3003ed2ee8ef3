/**
 * What must hold between the values of a config, each of which may be right alone. Works on whatever parts could be
 * read, so that these mistakes are reported together with those of the shape.
 */

import type { Objection } from "./mistakes.js";
import type { KeyPath } from "./places.js";
import { type FileShape, fileSchema } from "./schema.js";

type Readable = { readonly [K in keyof FileShape]?: FileShape[K] | undefined };

/** Every part of the file that is right by itself. */
function readableParts(raw: unknown): Readable {
  const source = typeof raw === "object" && raw !== null ? (raw as Readonly<Record<string, unknown>>) : {};
  const parts = Object.entries(fileSchema.shape).map(([key, schema]) => {
    const result = schema.safeParse(Object.hasOwn(source, key) ? source[key] : undefined);
    return [key, result.success ? result.data : undefined] as const;
  });
  return Object.fromEntries(parts) as Readable;
}

export function disagreements(raw: unknown): readonly Objection[] {
  const parts = readableParts(raw);
  return [
    ...addressesTwice(parts),
    ...familiesApart(parts),
    ...pathsUnclear(parts),
    ...timesApart(parts),
    ...portsTwice(parts),
    ...foldersEqual(parts),
  ];
}

function objection(path: KeyPath, what: string): Objection {
  return { path, of: "value", what };
}

interface Named {
  readonly address: string;
  readonly of: string;
  readonly path: KeyPath;
}

function nodeAddresses({ nodes }: Readable): readonly Named[] {
  return Object.entries(nodes ?? {}).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.map((address, index) => ({ address, of: `node ${name}`, path: ["nodes", name, index] }))
      : [{ address: String(value), of: `node ${name}`, path: ["nodes", name] }],
  );
}

function haAddresses({ haAddress }: Readable): readonly Named[] {
  if (haAddress === undefined) return [];
  const named = (value: HaShape, path: KeyPath): Named => ({
    ...("interface" in value || typeof value.address === "object"
      ? { address: (value as HaObject).address.address, path: [...path, "address"] }
      : { address: value.address, path }),
    of: "the HA address",
  });
  return Array.isArray(haAddress)
    ? haAddress.map((value, index) => named(value, ["haAddress", index]))
    : [named(haAddress, ["haAddress"])];
}

type HaShape = Exclude<FileShape["haAddress"], readonly unknown[]>;
type HaObject = Extract<HaShape, { readonly address: object }>;

function addressesTwice(parts: Readable): readonly Objection[] {
  const seen = new Map<string, string>();
  return [...nodeAddresses(parts), ...haAddresses(parts)].flatMap(({ address, of, path }) => {
    const earlier = seen.get(address);
    seen.set(address, earlier ?? of);
    if (earlier === undefined) return [];
    return [objection(path, `${address} is used twice: by ${earlier} and by ${of}; each needs its own`)];
  });
}

function familiesApart({ nodes }: Readable): readonly Objection[] {
  const firsts = Object.values(nodes ?? {}).map((value) => String(Array.isArray(value) ? value[0] : value));
  const families = new Set(firsts.map((address) => (address.includes(":") ? 6 : 4)));
  if (firsts.length !== 2 || families.size < 2) return [];
  return [
    objection(
      ["nodes"],
      "the first address of both nodes must be of the same family, IPv4 or IPv6: beats go between them",
    ),
  ];
}

function pathsUnclear({ heartbeat }: Readable): readonly Objection[] {
  const paths = heartbeat?.paths ?? [];
  const names = new Set<string>();
  return paths.flatMap((entry, index) => {
    const found: Objection[] = [];
    const at: KeyPath = ["heartbeat", "paths", index];
    if (paths.length > 1 && (typeof entry === "string" || entry.class === undefined)) {
      found.push(
        objection(at, "needs its class, since there are several paths: client, private or out-of-band"),
      );
    }
    const name = typeof entry === "string" ? undefined : entry.name;
    if (name !== undefined && names.has(name))
      found.push(objection([...at, "name"], `two paths are called ${name}`));
    if (name !== undefined) names.add(name);
    return found;
  });
}

function timesApart({ heartbeat, replication, failback }: Readable): readonly Objection[] {
  const found: Objection[] = [];
  if (heartbeat !== undefined) {
    const { intervalMs, deadFloorMs } = paceOf(heartbeat);
    if (deadFloorMs < 3 * intervalMs) {
      found.push(
        objection(
          ["heartbeat", "deadFloor"],
          `${deadFloorMs} ms is less than three beats of ${intervalMs} ms: one lost beat would look like death`,
        ),
      );
    }
    if (heartbeat.deadCeiling < deadFloorMs) {
      found.push(
        objection(
          ["heartbeat", "deadCeiling"],
          `${heartbeat.deadCeiling} ms is below the floor of ${deadFloorMs} ms`,
        ),
      );
    }
  }
  if (replication !== undefined && replication.soloAfter <= replication.staleAfter) {
    found.push(
      objection(
        ["replication", "soloAfter"],
        `${replication.soloAfter} ms must be longer than staleAfter (${replication.staleAfter} ms), or a standby could believe itself in sync wrongly (rule R20)`,
      ),
    );
  }
  if (typeof failback === "object" && failback.maxHold < failback.hold) {
    found.push(
      objection(["failback", "maxHold"], `${failback.maxHold} ms is below hold, ${failback.hold} ms`),
    );
  }
  return found;
}

/** Interval and floor of a profile unless they are written (rule R11). */
export function paceOf({ profile, interval, deadFloor }: FileShape["heartbeat"]): {
  readonly intervalMs: number;
  readonly deadFloorMs: number;
} {
  const [intervalMs, deadFloorMs] = profile === "fast" ? [5, 32] : [20, 100];
  return { intervalMs: interval ?? intervalMs, deadFloorMs: deadFloor ?? deadFloorMs };
}

function portsTwice({ heartbeat, replication }: Readable): readonly Objection[] {
  if (heartbeat === undefined || replication === undefined) return [];
  const { port } = replication;
  if (port === heartbeat.port) {
    return [
      objection(["replication", "port"], `${port} is the port of heartbeat.port too; each needs its own`),
    ];
  }
  if (port === heartbeat.port + 3) {
    return [
      objection(["replication", "port"], `${port} is heartbeat.port + 3, which must stay closed (rule R9)`),
    ];
  }
  return [];
}

function foldersEqual({ folders }: Readable): readonly Objection[] {
  if (folders === undefined || folders.state !== folders.run) return [];
  return [
    objection(
      ["folders", "run"],
      "must differ from folders.state: one survives a reboot, the other does not",
    ),
  ];
}
