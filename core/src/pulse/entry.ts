/** What the lean pulse process runs: the options as one JSON argument, errors as the command line shows them. */

import { explain } from "../errors/error.js";
import { runPulse } from "./main.js";

try {
  await runPulse(JSON.parse(process.argv[2] ?? "{}") as Parameters<typeof runPulse>[0]);
} catch (error) {
  process.stderr.write(`understudy: ${explain(error)}\n`);
  const { exitCodeOf } = await import("../cli/exit-codes.js");
  process.exitCode = exitCodeOf(error);
}
