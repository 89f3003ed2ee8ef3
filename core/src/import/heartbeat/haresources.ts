/**
 * Reads haresources as Heartbeat's ResourceManager does (heartbeat/lib/ResourceManager.in, `ipres`): comments go, then a
 * line that ends with a backslash is joined with the next, then words are parted by white space.
 */

export interface ResourceWord {
  /** The physical line it stands on, from 1. */
  readonly line: number;
  readonly word: string;
}

export interface ResourceGroup {
  /** Empty where a line holds nothing but a backslash. */
  readonly node: ResourceWord;
  readonly resources: readonly ResourceWord[];
  /** The physical lines that were joined, from 1. */
  readonly firstLine: number;
  readonly lastLine: number;
}

export function resourceGroups(text: string): readonly ResourceGroup[] {
  const groups: ResourceGroup[] = [];
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  for (let index = 0; index < lines.length; index += 1) {
    const first = index;
    const words: { line: number; word: string }[] = [];
    // The comment is cut off the first line only: sed does it before it joins the next one.
    let piece = (lines[index] ?? "").replace(/#.*/, "");
    const isBlank = piece.trim() === "";
    let open = false;
    for (;;) {
      const joins = piece.endsWith("\\") && index + 1 < lines.length;
      const content = joins ? piece.slice(0, -1) : piece;
      const parts = content.split(/[ \t]+/).filter((word) => word !== "");
      // Without white space at the seam the two halves are one word.
      const last = words.at(-1);
      if (open && last !== undefined && /^[^ \t]/.test(content)) last.word += parts.shift() ?? "";
      words.push(...parts.map((word) => ({ line: index + 1, word })));
      open = /[^ \t]$/.test(content);
      if (!joins) break;
      index += 1;
      piece = lines[index] ?? "";
    }
    if (isBlank) continue;
    const [node = { line: first + 1, word: "" }, ...resources] = words;
    groups.push({
      node: { ...node, word: node.word.toLowerCase() },
      resources,
      firstLine: first + 1,
      lastLine: index + 1,
    });
  }
  return groups;
}

export interface Resource {
  readonly script: string;
  readonly args: readonly string[];
}

/** "Filesystem::/dev/sda1::/data::ext3"; what begins like an IPv4 address is IPaddr's (`isip`). */
export function resourceOf(word: string): Resource {
  if (/^\d.*\.\d.*\.\d.*\.\d/.test(word)) return { script: "IPaddr", args: word.split("::") };
  const [script = "", ...args] = word.split("::");
  return { script, args };
}
