/**
 * The session store contract, a plugin kind. Placeholder shape: owned by the sessions work, see store-contract there.
 */
export interface SessionStore {
  stop(): Promise<void>;
}
