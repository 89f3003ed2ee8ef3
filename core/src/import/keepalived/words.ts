/**
 * Words of keepalived.conf: parted by white space, with " and ' around what belongs together and \\ before what is meant as
 * it is; `#` and `!` outside of quotes begin a comment (keepalived.conf(5), "Quoted strings").
 */

export interface Word {
  readonly text: string;
  /** Some of it stood in quotes or behind a backslash: a brace is then no brace. */
  readonly quoted: boolean;
}

export function wordsOf(line: string): readonly Word[] {
  const words: Word[] = [];
  let text = "";
  let quoted = false;
  let quote = "";
  const end = () => {
    if (text !== "" || quoted) words.push({ text, quoted });
    text = "";
    quoted = false;
  };
  for (let index = 0; index < line.length; index += 1) {
    const char = line[index] ?? "";
    if (char === "\\" && index + 1 < line.length) {
      index += 1;
      text += line[index] ?? "";
      quoted = true;
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else text += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      quoted = true;
    } else if (char === "#" || char === "!") break;
    else if (/\s/.test(char)) end();
    else if (char === "{" || char === "}") {
      // A brace ends the word before it, also without white space.
      end();
      words.push({ text: char, quoted: false });
    } else text += char;
  }
  end();
  return words;
}

/** The words of a script that stands in one quoted text: white space parts them, single quotes keep it. */
export function scriptWords(text: string): readonly string[] {
  return [...text.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ""));
}
