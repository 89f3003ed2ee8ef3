/**
 * A TLS 1.3 link with a pre-shared key between two threads of the two nodes, as its users see it: whole binary messages
 * in order. `tls-peer-link.ts` makes it; tests may join two with a memory pair.
 *
 * There are two of them: the node link of the main threads on TCP `heartbeat.port` (goodbyes, role questions, timeline,
 * tokens), and the session link of the session threads on TCP `replication.port`, so that bulk never delays a goodbye.
 */

export interface PeerLink {
  readonly isOpen: boolean;
  /** Sends one message, in order, at most 8 MiB. Returns false, and drops it, when the link is not open. */
  send(message: Uint8Array): boolean;
  /** Bytes handed over and not yet taken by the kernel: senders of bulk data wait while it is above 4 MiB. */
  readonly bufferedBytes: number;
  /** Ends the present connection; a new one is made at once. */
  reset(reason: string): void;
  /** Uses other secrets for connections made from now on (rule R29). */
  setKeys(keys: readonly LinkKey[], signWith: number): void;
  close(): Promise<void>;
}

export interface LinkKey {
  readonly id: number;
  /** Derived for the purpose "tls" from the shared secret. */
  readonly secret: Uint8Array;
}

export interface PeerLinkListeners {
  /** Connected, authenticated, and the protocol versions agree. `local` and `remote` are addresses for status. */
  opened(info: { readonly version: number; readonly local: string; readonly remote: string }): void;
  message(message: Uint8Array): void;
  closed(reason: string): void;
  /** `bufferedBytes` has fallen below 1 MiB after having been above it. */
  drained(): void;
  /** An attempt came to nothing: a wrong key, a wrong version, nobody there. May be called often; the link goes on trying. */
  failed?(reason: string): void;
}

export interface PeerLinkOptions {
  /** "node" or "sessions": said in the hello, so that a link never meets the wrong kind. */
  readonly name: "node" | "sessions";
  readonly cluster: string;
  /** The primary listens on all its node addresses, the secondary connects to them in turn. */
  readonly side: "primary" | "secondary";
  readonly localAddresses: readonly string[];
  readonly peerAddresses: readonly string[];
  readonly port: number;
  readonly keys: readonly LinkKey[];
  readonly signWith: number;
  /** A link over which nothing arrived for so long is closed; each side says something at least every third of it. */
  readonly silenceMs: number;
  readonly listeners: PeerLinkListeners;
}
