/**
 * The small files of pulse on a simulated disk: the highest epoch and the operator's intents. A write is atomic, may be
 * refused, may be acknowledged and yet be gone after a power loss (where fsync lies), and the whole disk may be rolled back.
 */

import type { Intents } from "@understudy/core/internal/failover/event";

export interface DiskContent {
  readonly epoch: number;
  readonly intents: Intents;
}

export interface Disk {
  readonly epoch: number;
  readonly intents: Intents;
  /** Writes are refused: no room. */
  failing: boolean;
  /** Acknowledged writes are not durable until the lie ends. */
  lying: boolean;
  /** Something acknowledged was lost: what is said about this machine's epochs holds no more (weaker promise). */
  readonly forgot: boolean;
  writeEpoch(epoch: number): void;
  writeIntents(intents: Intents): void;
  losePower(): void;
  /** Puts an older content back, as from a backup or a virtual machine's snapshot. */
  rollBack(to: (history: readonly DiskContent[]) => DiskContent): void;
  flush(): void;
}

export function makeDisk(): Disk {
  const empty: DiskContent = {
    epoch: 0,
    intents: { maintenance: false, preference: { side: undefined, version: 0 } },
  };
  let content = empty;
  let durable = empty;
  let forgot = false;
  const history: DiskContent[] = [empty];
  const write = (next: DiskContent) => {
    content = next;
    if (disk.lying) return;
    durable = next;
    history.push(next);
  };
  const disk: Disk = {
    failing: false,
    lying: false,
    get epoch() {
      return content.epoch;
    },
    get intents() {
      return content.intents;
    },
    get forgot() {
      return forgot;
    },
    writeEpoch: (epoch) => write({ ...content, epoch: Math.max(content.epoch, epoch) }),
    writeIntents: (intents) => write({ ...content, intents }),
    losePower: () => {
      if (durable !== content) forgot = true;
      content = durable;
    },
    rollBack: (to) => {
      const older = to(history);
      if (older !== content) forgot = true;
      content = older;
      durable = older;
    },
    flush: () => {
      durable = content;
      history.push(content);
    },
  };
  return disk;
}
