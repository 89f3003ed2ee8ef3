/**
 * What one UART makes of another's bits when their baud rates differ: the sender's line as a level over time, and a receiver
 * that waits for a start bit and looks at the middle of each bit after it. Pure.
 */

/** A start bit, eight data bits with the lowest first, a stop bit; the line is high when nothing is sent. */
function levelsOf(bytes: Uint8Array): Uint8Array {
  const levels = new Uint8Array(bytes.length * 10);
  bytes.forEach((byte, index) => {
    levels[index * 10] = 0;
    for (let bit = 0; bit < 8; bit += 1) levels[index * 10 + 1 + bit] = (byte >> bit) & 1;
    levels[index * 10 + 9] = 1;
  });
  return levels;
}

/** What a receiver at its own rate reads of bytes that were sent in one go; a byte without a stop bit is read as zero. */
export function receivedAt(receiverBaud: number, bytes: Uint8Array, senderBaud: number): Uint8Array {
  const levels = levelsOf(bytes);
  const senderBits = senderBaud / receiverBaud;
  /** Time in bits of the receiver. */
  const levelAt = (time: number) => levels[Math.floor(time * senderBits)] ?? 1;
  const step = 1 / 16;
  const endTime = levels.length / senderBits;
  const received: number[] = [];
  for (let time = 0; time < endTime; ) {
    if (levelAt(time) === 1 || levelAt(time + 0.5) === 1) {
      time += step;
      continue;
    }
    let byte = 0;
    for (let bit = 0; bit < 8; bit += 1) byte |= levelAt(time + 1.5 + bit) << bit;
    const stopped = levelAt(time + 9.5) === 1;
    received.push(stopped ? byte : 0);
    time += 9.5;
    // After a byte without a stop bit the line must rise before the next one can begin.
    while (!stopped && time < endTime && levelAt(time) === 0) time += step;
  }
  return Uint8Array.from(received);
}
