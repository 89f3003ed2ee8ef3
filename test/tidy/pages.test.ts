/**
 * What pages say that a machine can try: their YAML loads, their links lead somewhere, their commands and options exist,
 * and so do the codes, alarms, files and ports that they name.
 */

import assert from "node:assert/strict";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { check } from "@understudy/core/internal/cli/check";
import { commands } from "@understudy/core/internal/cli/commands";
import { buildProgram } from "@understudy/core/internal/cli/main";
import { parseConfig } from "@understudy/core/internal/config/parse";
import { parse, stringify } from "yaml";
import { readPages } from "./pages.js";
import { root, sourceFiles } from "./source-files.js";

const pages = readPages();
const pair = {
  cluster: "tlha",
  nodes: { one: "10.0.0.2", two: "10.0.0.3" },
  haAddress: "10.0.0.4/24",
};

test("there are pages", () => {
  assert.ok(pages.length > 25);
  assert.ok(pages.some(({ blocks }) => blocks.length > 5));
});

/** Files of other programs in the pages, each told by a key of its own. */
const ofOthers: Readonly<Record<string, (value: unknown) => Promise<unknown>>> = {
  profileVersion: async (value) => {
    const module = await import(pathToFileURL(join(root, "appliance/dist/src/profile.js")).href);
    return (module as { profileSchema: { parse(value: unknown): unknown } }).profileSchema.parse(value);
  },
  scrape_configs: async () => undefined,
};

for (const { path, blocks } of pages) {
  const yaml = blocks.filter(({ language }) => language === "yaml");
  if (yaml.length === 0) continue;
  test(`every YAML block of ${path} loads, alone or as a part of a pair's file`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-pages-"));
    try {
      for (const { text } of yaml) {
        // A block may hold no more than a comment, such as one for editors.
        const value = (parse(text) ?? {}) as Readonly<Record<string, unknown>>;
        const other = Object.keys(ofOthers).find((key) => key in value);
        if (other !== undefined) await ofOthers[other]?.(value);
        else {
          const config = join(folder, "understudy.yaml");
          writeFileSync(config, stringify({ ...pair, ...value }));
          const { problems } = await check({ config });
          assert.deepEqual(
            problems.map(({ message }) => message),
            [],
            text,
          );
        }
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test("every link leads to a file, and to a heading in it", () => {
  const anchors = new Map(pages.map((page) => [page.path, page.anchors]));
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
      if (/^https?:/.test(link)) return [];
      const [file = "", anchor] = link.split("#");
      const to = file === "" ? path : normalize(join(dirname(path), file));
      if (!existsSync(join(root, to))) return [`${path}: ${link}`];
      return anchor === undefined || anchors.get(to)?.includes(anchor) === true ? [] : [`${path}: ${link}`];
    }),
  );
  assert.deepEqual(broken, []);
});

test("the pages in the tarball link only to what is in the tarball", () => {
  const packed = readFileSync(join(root, "core/packaging/tarball.js"), "utf8");
  const shipped = pages.filter(({ path }) => packed.includes(`"${path.replace("core/", "")}"`));
  assert.ok(shipped.length >= 6);
  const outside = shipped
    .filter(({ path }) => path.startsWith("core/"))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
        .map(([, link = ""]) => link)
        .filter((link) => !/^https?:/.test(link) && !packed.includes(`"${link}"`))
        .map((link) => `${path}: ${link}`),
    );
  assert.deepEqual(outside, []);
});

/** "understudy sessions list --user ada" wherever it stands as code: the words, and the options. */
function mentions(text: string): readonly string[] {
  const inline = [...text.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/`([^`]+)`/g)].map(
    ([, code = ""]) => code,
  );
  const lines = [...text.matchAll(/^```(?:sh)?\n([\s\S]*?)^```$/gm)].flatMap(([, block = ""]) =>
    block.replaceAll("\\\n", " ").split("\n"),
  );
  return [...inline, ...lines].flatMap((code) =>
    [...code.replace(/ #.*/, "").matchAll(/(?:^|[#&(])\s*understudy ([^&|;)]+)/g)].map(([, said = ""]) =>
      said.trim(),
    ),
  );
}

test("every command and option of ours that a page names exists", async () => {
  const program = await buildProgram(
    commands.map(({ name }) => name),
    commands,
  );
  const wrong: string[] = [];
  let found = 0;
  for (const { path, text } of pages) {
    for (const said of mentions(text)) {
      const words = said.split(/\s+/).filter((word) => !/^--(config|node)$/.test(word));
      const [first = ""] = words;
      if (!/^[a-z-]+$/.test(first)) continue;
      let command = program.commands.find((one) => one.name() === first);
      if (command === undefined) {
        wrong.push(`${path}: understudy ${said}`);
        continue;
      }
      found += 1;
      const below = command.commands.find((one) => one.name() === words[1]);
      if (command.commands.length > 0 && /^[a-z-]+$/.test(words[1] ?? "") && below === undefined)
        wrong.push(`${path}: understudy ${said}`);
      command = below ?? command;
      const known = ["--help", ...command.options.map(({ long }) => long)];
      for (const option of words.filter((word) => word.startsWith("--")))
        if (!known.includes(option)) wrong.push(`${path}: ${option} of understudy ${said}`);
    }
  }
  assert.ok(found > 50, `${found} were found`);
  assert.deepEqual(wrong, []);
});

/** Names in capitals that are the system's or another program's. */
const ofTheSystem = /^(CAP|SO|IP|ID|SCHED|LC)_/;

test("every code, alarm and variable in capitals that a page names exists", () => {
  const listed = pages.find(({ path }) => path === "core/ERRORS.md")?.text ?? "";
  const codes = new Set([...listed.matchAll(/^### (\w+)$/gm)].map(([, code = ""]) => code));
  assert.ok(codes.size > 100);
  const sources = sourceFiles().map(({ text }) => text);
  const wrong = pages
    .filter(({ path }) => path !== "core/ERRORS.md")
    .flatMap(({ path, text }) =>
      [...text.matchAll(/(?<![\w-])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g)]
        .map(([name]) => name)
        .filter((name) => !codes.has(name) && !ofTheSystem.test(name))
        // Variables of the environment, and constants of the contract.
        .filter((name) => !sources.some((source) => source.includes(name)))
        .map((name) => `${path}: ${name}`),
    );
  assert.deepEqual(wrong, []);
});

test("every rule and promise that a page or the source names stands in RULES.md", () => {
  const rules = pages.find(({ path }) => path === "core/RULES.md")?.text ?? "";
  const listed = new Set([...rules.matchAll(/^\| ([RG]\d+) \|/gm)].map(([, name = ""]) => name));
  assert.equal(listed.size, 41);
  const texts = [...pages, ...sourceFiles().filter(({ path }) => path.startsWith("core/src/"))];
  const wrong = texts.flatMap(({ path, text }) =>
    [...text.matchAll(/\brules? (R\d+)\b|"(R\d+)"|\((R\d+|G\d)\)/g)]
      .map(([, one, two, three]) => one ?? two ?? three ?? "")
      .filter((name) => !listed.has(name))
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test("every file of the project that a page names exists", () => {
  const wrong = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:core|plugins|appliance|test)\/[\w./*@-]+|\.ci\/\w+)`/g)]
      .map(([, name = ""]) => name)
      .filter((name) => !/@|\.js$/.test(name))
      .filter((name) =>
        ["", dirname(path)].every((from) => globSync(join(from, name), { cwd: root }).length === 0),
      )
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test("every scenario in the fault table exists, and every scenario stands in a table", () => {
  const text = pages.find(({ path }) => path === "test/cluster/README.md")?.text ?? "";
  const files = globSync("test/scenarios/*.txt", { cwd: root }).map((path) =>
    path.replace(/^.*\/|\.txt$/g, ""),
  );
  const [, faults = ""] = /^## The fault table$([\s\S]*?)^## /m.exec(text) ?? [];
  const named = [...faults.matchAll(/^\| [^|]+ \| ([a-z*, -]+) \|/gm)]
    .flatMap(([, cell = ""]) => cell.split(", "))
    .filter((name) => /^[a-z]/.test(name) && name !== "scenario");
  assert.ok(named.length > 15);
  const matches = (name: string, file: string) =>
    name.endsWith("*") ? file.startsWith(name.slice(0, -1)) : file === name;
  assert.deepEqual(
    named.filter((name) => !files.some((file) => matches(name.trim(), file))),
    [],
  );
});

test("the ports of DEPLOY.md are those of a pair that says nothing about them", () => {
  const text = pages.find(({ path }) => path === "core/DEPLOY.md")?.text ?? "";
  const { heartbeat, replication } = parseConfig(stringify(pair), "pair.yaml");
  for (const port of [`${heartbeat.port}/udp`, `${heartbeat.port}/tcp`, `${heartbeat.port + 3}/tcp`])
    assert.ok(text.includes(`| ${port} |`), port);
  assert.ok(text.includes(`| ${replication.port}/tcp |`));
});
