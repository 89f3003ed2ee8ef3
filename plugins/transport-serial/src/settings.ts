/**
 * The settings of a raw serial line as the kernel's `struct termios2` has them: 8 data bits, no parity, one stop bit, no
 * flow control, nothing interpreted. Pure; the numbers are those of Linux's asm-generic/termbits.h.
 *
 * Nothing is ignored on input, so that a byte with a framing error or a break is read as a zero (termios(3), IGNPAR and
 * IGNBRK off), which ends a frame at once and lets the next begin.
 */

/** Four words, the line discipline, 19 control characters, two speeds. */
export const settingsBytes = 44;
const controlFlagsAt = 8;
const controlCharactersAt = 17;
const inputSpeedAt = 36;
const outputSpeedAt = 40;

const CS8 = 0o60;
const CREAD = 0o200;
/** Modem control lines mean nothing: a null-modem cable of three wires is enough. */
const CLOCAL = 0o4000;
/** The speed is a number in the last two words. */
const BOTHER = 0o10000;
const VTIME = 5;
const VMIN = 6;

export function rawSettings(baud: number): Buffer {
  const settings = Buffer.alloc(settingsBytes);
  settings.writeUInt32LE(CS8 | CREAD | CLOCAL | BOTHER, controlFlagsAt);
  settings[controlCharactersAt + VTIME] = 0;
  settings[controlCharactersAt + VMIN] = 1;
  settings.writeUInt32LE(baud, inputSpeedAt);
  settings.writeUInt32LE(baud, outputSpeedAt);
  return settings;
}

/** What the driver made of the wish. */
export function outputSpeed(settings: Buffer): number {
  return settings.readUInt32LE(outputSpeedAt);
}
