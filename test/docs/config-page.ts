/**
 * Makes core/CONFIG.md out of the schema of the config file: every key with its type, unit, default and purpose.
 */

import { type OptionText, optionsOf } from "@understudy/core/internal/config/options";
import { fileSchema } from "@understudy/core/internal/config/schema";

const opening = `# The config file

One YAML file serves both nodes: \`/etc/understudy/understudy.yaml\`, or what \`--config\` or \`UNDERSTUDY_CONFIG\` names.
This is a working pair:

\`\`\`yaml
cluster: tlha
nodes:                      # the first is the primary
  tlha-primary: 10.0.0.2
  tlha-secondary: 10.0.0.3
haAddress: 10.0.0.4/24
\`\`\`

Everything else has a default. \`understudy check\` names every mistake with its place. Which of the two nodes a machine is comes from \`--node\`, else \`UNDERSTUDY_NODE\`, else from its
addresses, else from its host name; a machine that is neither does not start.

An editor that reads YAML by a JSON schema completes the file and marks mistakes while it is written. Make the schema with
\`understudy config schema > understudy.schema.json\` beside the file, and begin the file with this line:

\`\`\`yaml
# yaml-language-server: $schema=understudy.schema.json
\`\`\`

It holds the options of the plugins that came with Understudy and of those from elsewhere that the config names: make it
anew after a line with a new one. A plugin that cannot be loaded is named on standard error, and its options are then not
judged. What the loader accepts the schema accepts; what only the loader can judge is left to \`understudy check\`.

Times are a number of milliseconds or a text with a unit: \`250\`, \`250ms\`, \`10s\`, \`5m\`, \`1h\`. Rules (R1-R32) stand in
[RULES.md](RULES.md). This page is made from the code by \`npm run docs\`; do not edit it.

## Keys

| key | value | default | what it is for |
|---|---|---|---|
`;

const plugins = `
## Plugins

Where a plugin is named, write its short name (\`udp\`), a package name (\`"@acme/understudy-thing"\`), or a path from the
folder of this file (\`./mine.js\`); with options as a map: \`{ plugin: udp, port: 7000 }\`. Packages are looked for where
Understudy is installed, then beside this file, then in \`/etc/understudy/plugins/node_modules\`.

What each can be told is printed by \`understudy plugins show NAME\`, and stands in the README of its package;
\`understudy plugins installed\` lists those that came with Understudy.
`;

export async function configPage(): Promise<string> {
  return `${opening}${rows(optionsOf(fileSchema))}\n${plugins}`;
}

function rows(options: readonly OptionText[]): string {
  return options
    .map(({ path, type, fallback, required, description }) => {
      const value = required ? "**required**" : fallback === undefined ? "" : `\`${fallback}\``;
      return `| \`${path}\` | ${cell(type)} | ${cell(value)} | ${cell(description)} |`;
    })
    .join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
