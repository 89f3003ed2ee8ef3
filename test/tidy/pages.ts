/** Every page of the project as text, with its code blocks and headings: what the tests of pages read. */

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./source-files.js";

export interface Page {
  /** Relative to the project's root. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly { readonly language: string; readonly text: string }[];
  /** As GitHub makes them from headings. */
  readonly anchors: readonly string[];
}

const blockPattern = /^```(\w*)\n([\s\S]*?)^```$/gm;

export function readPages(): readonly Page[] {
  const globs = ["*.md", "{core,appliance}/*.md", "plugins/*/*.md", "test/*/*.md"];
  const paths = globs.flatMap((glob) => globSync(glob, { cwd: root }));
  return paths.sort().map((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const blocks = [...text.matchAll(blockPattern)].map(([, language = "", block = ""]) => ({
      language,
      text: block,
    }));
    const prose = text.replace(blockPattern, "");
    return {
      path,
      text,
      blocks,
      anchors: [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => anchorOf(title)),
    };
  });
}

function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}
