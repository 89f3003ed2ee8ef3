/**
 * What the reader of the demo sees: a line for each thing that happens and, on a terminal, one that is drawn anew in
 * place with who serves and what the client gets at this moment.
 */

export interface Stage {
  /** A heading for what is about to be done to the pair. */
  act(text: string): void;
  line(text: string): void;
  /** Replaces the last live line; nothing where the output is no terminal. */
  live(text: string): void;
}

const plain = { bold: (text: string) => text, dim: (text: string) => text };
const coloured = {
  bold: (text: string) => `\x1b[1m${text}\x1b[0m`,
  dim: (text: string) => `\x1b[2m${text}\x1b[0m`,
};

export function makeStage(output: NodeJS.WriteStream = process.stdout): Stage {
  const terminal = output.isTTY === true;
  const style = terminal && process.env.NO_COLOR === undefined ? coloured : plain;
  const startedMs = performance.now();
  let liveShown = false;
  const erase = () => {
    if (liveShown) output.write("\r\x1b[2K");
    liveShown = false;
  };
  const stamp = () => `${((performance.now() - startedMs) / 1000).toFixed(1).padStart(5)} s`;
  return {
    act: (text) => {
      erase();
      output.write(`\n${style.bold(text)}\n`);
    },
    line: (text) => {
      erase();
      output.write(`${style.dim(stamp())}  ${text}\n`);
    },
    live: (text) => {
      if (!terminal) return;
      erase();
      output.write(style.dim(`${stamp()}  ${text.slice(0, Math.max(20, (output.columns ?? 80) - 10))}`));
      liveShown = true;
    },
  };
}

/** Columns padded to their widest cell; numbers to the right. */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const print = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [print(header), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(print)].join("\n");
}
