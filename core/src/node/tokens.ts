/**
 * The bearer tokens of this node: kept in `<state>/tokens.json`, the same on both nodes by exchanging the whole set over
 * the node link. A change is durable before it is answered.
 */

import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { placeFile } from "../durable-file.js";
import { tokenError } from "../errors/tokens.js";
import type { Log, TokenVerifier } from "../plugin/tokens.js";
import {
  checkToken,
  mergeTokens,
  mostTokens,
  newToken,
  type TokenRecord,
  type TokenSet,
  tokenRecordSchema,
} from "./token-set.js";

export interface Tokens {
  readonly verifier: TokenVerifier;
  /** Reads the file; one that does not parse is set aside, and no token is valid until the other node has sent its own. */
  open(): Promise<void>;
  create(name: string, scope: "read" | "write"): Promise<{ readonly token: string; readonly id: string }>;
  list(): readonly TokenRecord[];
  revoke(id: string): Promise<TokenRecord>;
  /** What the other node has. */
  merge(theirs: readonly TokenRecord[]): Promise<void>;
  /** Called with the whole set after every change, to be sent to the other node. */
  onChange(listener: (records: readonly TokenRecord[]) => void): void;
}

const fileSchema = z.object({ version: z.literal(1), tokens: z.array(tokenRecordSchema) });

export function createTokens(stateFolder: string, log: Log): Tokens {
  const path = join(stateFolder, "tokens.json");
  const listeners: ((records: readonly TokenRecord[]) => void)[] = [];
  let set: TokenSet = new Map();
  let turn: Promise<unknown> = Promise.resolve();

  /** Changes are made one after the other: written first, then in force, then told. */
  function change<T>(make: (now: TokenSet) => { readonly next: TokenSet; readonly result: T }): Promise<T> {
    const mine = turn.then(async () => {
      const { next, result } = make(set);
      if (next === set) return result;
      await writeTokens(path, next);
      set = next;
      for (const listener of listeners) listener([...set.values()]);
      return result;
    });
    turn = mine.catch(() => {});
    return mine;
  }

  return {
    verifier: {
      verify(token) {
        const record = checkToken(set, token);
        return record && { id: record.id, name: record.name, scope: record.scope };
      },
    },
    async open() {
      set = await readTokens(path, log);
    },
    create: (name, scope) =>
      change((now) => {
        if (now.size >= mostTokens) {
          throw tokenError("TOKEN_TOO_MANY", `there are ${now.size} tokens already`);
        }
        const { token, record } = newToken(name, scope, new Date().toISOString());
        return { next: new Map(now).set(record.id, record), result: { token, id: record.id } };
      }),
    list: () => [...set.values()],
    revoke: (id) =>
      change((now) => {
        const record = now.get(id);
        if (record === undefined) throw tokenError("TOKEN_UNKNOWN", `there is no token ${id}`);
        if (record.revokedAt !== undefined) return { next: now, result: record };
        const revoked = { ...record, revokedAt: new Date().toISOString() };
        return { next: new Map(now).set(id, revoked), result: revoked };
      }),
    merge: (theirs) => change((now) => ({ next: mergeTokens(now, theirs), result: undefined })),
    onChange: (listener) => void listeners.push(listener),
  };
}

async function readTokens(path: string, log: Log): Promise<TokenSet> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT")
      log.error({ path, error }, "cannot read the tokens");
    return new Map();
  }
  const parsed = fileSchema.safeParse(parseJson(text));
  if (parsed.success) return new Map(parsed.data.tokens.map((record) => [record.id, record]));
  const movedTo = `${path}.damaged-${Date.now()}`;
  await rename(path, movedTo).catch(() => {});
  log.error(
    { path, movedTo },
    "the tokens did not parse and were set aside: none is valid until the other node sends its own",
  );
  return new Map();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function writeTokens(path: string, set: TokenSet): Promise<void> {
  const text = `${JSON.stringify({ version: 1, tokens: [...set.values()] }, null, 1)}\n`;
  try {
    await placeFile(path, (file) => file.writeFile(text));
  } catch (cause) {
    throw tokenError("TOKEN_NOT_WRITTEN", `cannot write ${path}: ${(cause as Error).message}`, { cause });
  }
}
