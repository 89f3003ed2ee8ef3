/** Lines in pages that fit into one message of the control socket. */

const mostLines = 500;
/** Half of what a message holds: quotes and escapes come on top. */
const mostCharacters = 400 * 1024;

export async function* linePages(lines: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let page: string[] = [];
  let characters = 0;
  for await (const line of lines) {
    if (line.trim() === "") continue;
    if (page.length > 0 && (page.length >= mostLines || characters + line.length > mostCharacters)) {
      yield page;
      page = [];
      characters = 0;
    }
    page.push(line);
    characters += line.length;
  }
  if (page.length > 0) yield page;
}
