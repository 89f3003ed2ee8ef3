/**
 * What the transport needs of an open serial port. The kernel's is in `tty.ts`; a test may bring its own.
 */

export interface PortEvents {
  /** The bytes are valid during the call alone. */
  arrived(bytes: Uint8Array): void;
  /** The port is of no use any more and wants to be closed: one part of a sentence. */
  lost(why: string): void;
}

/** Every method but `close` is synchronous and never throws. */
export interface Port {
  /** Hands bytes to the driver, which may take fewer; does not wait. */
  write(bytes: Uint8Array): number;
  /** Bytes that the driver holds and has not sent; 0 where it does not say. */
  unsentBytes(): number;
  /** Whether another program has changed the settings of the line; sets ours again if so. */
  settingsWereChanged(): boolean;
  /** Discards what is unsent. Never rejects. */
  close(): Promise<void>;
}

/** Never rejects: the port, or why there is none, one part of a sentence. */
export type OpenPort = (device: string, baud: number, events: PortEvents) => Promise<Port | string>;
