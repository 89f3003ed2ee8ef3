/** Lines in pages that fit into one message of the control socket. */

const mostLines = 500;
/** Less than half of what a message holds: every quote and backslash is doubled on the way. */
const mostBytes = 400 * 1024;

export async function* linePages(lines: AsyncIterable<string>): AsyncGenerator<readonly string[]> {
  let page: string[] = [];
  let bytes = 0;
  for await (const line of lines) {
    if (line.trim() === "") continue;
    const lineBytes = Buffer.byteLength(line);
    if (page.length > 0 && (page.length >= mostLines || bytes + lineBytes > mostBytes)) {
      yield page;
      page = [];
      bytes = 0;
    }
    page.push(line);
    bytes += lineBytes;
  }
  if (page.length > 0) yield page;
}
