/**
 * What went wrong with a broker, in words for status, and how long to leave it alone then. The codes are those of
 * MQTT 5.0, 2.4, and of Node.js.
 */

/**
 * `passing`: it may work again any moment. `refused`: somebody must change something, so it is asked seldom.
 * `takenOver`: another connection with our client id took our place, and asking at once would take its place in turn.
 */
export type Kind = "passing" | "refused" | "takenOver";

export interface Trouble {
  readonly kind: Kind;
  /** Continues "down, …". */
  readonly text: string;
}

export const passing = (text: string): Trouble => ({ kind: "passing", text });
export const refused = (text: string): Trouble => ({ kind: "refused", text });

/** Mosquitto 2.0.11 says nothing when it happens, so whoever is thrown out has to find it out. */
export const takenOver: Trouble = {
  kind: "takenOver",
  text: "another machine connects there with our client id: is a second one set up as this very node?",
};

/** Reason codes with which a broker refuses or ends a connection. */
const byCode: Readonly<Record<number, Trouble>> = {
  0: passing("it ended the connection (0)"),
  1: refused("it speaks no MQTT 5"),
  4: refused("it refused user or password (4)"),
  5: refused("it does not let us in (5)"),
  128: passing("it gave no reason (128)"),
  132: refused("it speaks no MQTT 5 (132)"),
  133: refused("it does not accept our client id (133)"),
  134: refused("it refused user or password (134)"),
  135: refused("it does not let us in: not authorized (135)"),
  136: passing("it says that it is unavailable (136)"),
  137: passing("it says that it is busy (137)"),
  138: refused("it has banned us (138)"),
  139: passing("it shuts down (139)"),
  140: refused("it wants another way to authenticate (140)"),
  141: passing("it heard nothing from us for too long (141)"),
  142: takenOver,
  149: refused("it found a packet of ours too large (149)"),
  150: refused("it finds that we send too often (150): raise the interval"),
  151: refused("a quota is used up (151)"),
  152: refused("its operator ended the connection (152)"),
  154: refused("it keeps no retained messages (154)"),
  156: refused("it sends us to another server (156)"),
  157: refused("it has moved for good (157)"),
  159: refused("it finds that we connect too often (159)"),
};

export function troubleOfCode(code: number): Trouble {
  return byCode[code] ?? refused(`it gave reason ${code}`);
}

/** A trouble as an error, for what rejects; `troubleOf` finds it again. */
export function failure(trouble: Trouble): Error {
  return Object.assign(new Error(trouble.text), { trouble });
}

/** Of an error of name resolution, of the connection, of TLS, or one made by `failure`. */
export function troubleOf(error: unknown): Trouble {
  const { trouble, code, reason, message } = error as FoundError;
  if (trouble !== undefined) return trouble;
  if (typeof code === "number") return troubleOfCode(code);
  const known = typeof code === "string" ? byName[code] : undefined;
  if (known !== undefined) return known;
  const text = oneLine(reason ?? message ?? String(error));
  return isTls(code) ? refused(`TLS: ${text}`) : passing(text);
}

interface FoundError {
  readonly trouble?: Trouble;
  readonly code?: unknown;
  /** OpenSSL's own words, without the numbers around them. */
  readonly reason?: string;
  readonly message?: string;
}

const byName: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: passing("nothing listens there (ECONNREFUSED)"),
  ECONNRESET: passing("it broke the connection off (ECONNRESET)"),
  EPIPE: passing("it broke the connection off (EPIPE)"),
  ETIMEDOUT: passing("it does not answer (ETIMEDOUT)"),
  EHOSTUNREACH: passing("there is no way to it (EHOSTUNREACH)"),
  ENETUNREACH: passing("there is no way to it (ENETUNREACH)"),
  ENOTFOUND: passing("its name is not known (ENOTFOUND)"),
  EAI_AGAIN: passing("no name server answers (EAI_AGAIN)"),
  CERT_HAS_EXPIRED: refused("TLS: its certificate has expired"),
  ERR_TLS_CERT_ALTNAME_INVALID: refused("TLS: its certificate is for another name"),
  DEPTH_ZERO_SELF_SIGNED_CERT: refused("TLS: its certificate is self-signed and not named by ca"),
  SELF_SIGNED_CERT_IN_CHAIN: refused("TLS: its certificate descends from none that we trust"),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: refused("TLS: its certificate descends from none that we trust"),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: refused("TLS: its certificate descends from none that we trust"),
};

function isTls(code: unknown): boolean {
  return typeof code === "string" && /CERT|SSL|TLS|OSSL/.test(code);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 80);
}
