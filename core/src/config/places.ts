/**
 * Where a value stands in the YAML text: turns a path of keys into file:line:column. A path that leads nowhere has the
 * place of the last thing that exists on the way.
 */

import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";

export type KeyPath = readonly (string | number)[];

export interface YamlText {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

export function readYaml(text: string, file: string): YamlText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, strict: true });
  return { file, document, lines };
}

/** "file:line:column" of the value at `path`, or of its key. */
export function placeOf(yaml: YamlText, path: KeyPath, of: "key" | "value" = "value"): string {
  return placeAt(yaml, offsetOf(yaml.document, path, of));
}

export function placeAt({ file, lines }: YamlText, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${file}:${Math.max(1, line)}:${Math.max(1, col)}`;
}

function offsetOf(document: Document.Parsed, path: KeyPath, of: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
      if (pair === undefined) return offset;
      const wantKey = of === "key" && depth === path.length - 1;
      offset = (wantKey ? startOf(pair.key) : (startOf(pair.value) ?? startOf(pair.key))) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(step)];
      if (item === undefined) return offset;
      offset = startOf(item) ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** "heartbeat.paths[1].class" */
export function keyText(path: KeyPath): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");
}

/** The counterpart of `keyText` for texts that it made, such as `PluginEntry.at`. */
export function keyPath(text: string): KeyPath {
  return [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map((match) =>
    match[1] === undefined ? (match[2] ?? "") : Number(match[1]),
  );
}
