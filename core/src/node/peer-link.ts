/**
 * The TLS link between the two node processes as the rest of node sees it: named channels of whole binary messages over
 * one TLS 1.3 connection with a pre-shared key. `tls-peer-link.ts` makes it; tests may join two with a memory pair.
 */

export interface PeerChannel {
  /** Whether the other side is connected and has the channel open. */
  readonly isOpen: boolean;
  /** Sends one message, in order, at most 8 MiB. Dropped when the channel is not open: watch `onClose`. */
  send(message: Uint8Array): void;
  /** Bytes handed over and not yet written to the kernel: senders of bulk data wait while it is above 4 MiB. */
  readonly bufferedBytes: number;
  onOpen(listener: () => void): void;
  onMessage(listener: (message: Uint8Array) => void): void;
  onClose(listener: () => void): void;
  /** Called when `bufferedBytes` has fallen below 1 MiB after having been above 4 MiB. */
  onDrain(listener: () => void): void;
}

export interface PeerLink {
  /** Channels are asked for once, before `start`; both nodes ask for the same names. */
  channel(name: "sessions" | "node"): PeerChannel;
}
