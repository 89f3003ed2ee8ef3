/** How the command line starts the two processes of a node within the process it is in. */

export interface ProcessOptions {
  /** Undefined: UNDERSTUDY_CONFIG, else the default file. */
  readonly configFile: string | undefined;
  readonly node: string | undefined;
}

/** Imported by address, so that neither process carries the other's modules. */
async function importMain(process: "pulse" | "node"): Promise<Readonly<Record<string, unknown>>> {
  return (await import(new URL(`../${process}/main.js`, import.meta.url).href)) as Readonly<
    Record<string, unknown>
  >;
}

export async function runPulse(options: ProcessOptions): Promise<void> {
  const { becomeLean } = await import("../pulse/lean-process.js");
  becomeLean(options);
  const { runPulse: run } = (await importMain("pulse")) as {
    runPulse: (options: ProcessOptions) => Promise<void>;
  };
  await run(options);
}

export async function runNode(options: ProcessOptions): Promise<void> {
  const { runNode: run } = (await importMain("node")) as {
    runNode: (options: ProcessOptions) => Promise<void>;
  };
  await run(options);
}
