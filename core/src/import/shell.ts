/** Commands of other programs' files as the options of our plugins: a list where it can be one, else a line for sh. */

/** One word that sh reads as it is. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(" ");
}

/** What only a shell understands in a text. */
export function needsShell(text: string): boolean {
  return /[|&;<>()$`\\"'*?[\]#~{}\n]/.test(text);
}
