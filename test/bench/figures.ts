/** Figures of the benchmarks: quantiles, tables in Markdown, and the record that everybody has to store. */

/** Of times in ascending order. */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function table(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [head, head.map(() => "---"), ...lines];
  return all.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** With id, names and times a record of some 230 bytes. */
export function attributesOf(number: number): string {
  return JSON.stringify({
    display: `:${number % 1000}`,
    client: "192.168.100.200",
    geometry: "1920x1080",
    desktop: "a name of a desktop of 40 characters ....",
  });
}
