/**
 * Tells a file that is no text in UTF-8 from one that is: what was read wrongly would otherwise be taken for what a
 * person wrote, in the path of a command as well as in a comment.
 */

/** ":line:column says …", to follow the name of the file; undefined for a text. */
export function notText(text: string): string | undefined {
  const nothing = text.indexOf("\0");
  if (nothing >= 0) return " is no text: it holds bytes that are zero";
  // What a decoder writes for bytes that are not UTF-8.
  const at = text.indexOf("\ufffd");
  if (at < 0) return undefined;
  const before = text.slice(0, at).split("\n");
  return `:${before.length}:${(before.at(-1)?.length ?? 0) + 1} is not UTF-8: save the file in that encoding`;
}
