/**
 * Metrics as text, in the two formats that Prometheus asks for: its own 0.0.4 and OpenMetrics 1.0.0. Pure. They differ in
 * how a counter is named in its own description, and in the last line.
 */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export interface Metric {
  /** Without the ending `_total`, which a counter gets here. */
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: readonly Sample[];
}

export type Format = "text" | "openmetrics";

export const contentTypes: Readonly<Record<Format, string>> = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** OpenMetrics for who names it, the older format for everybody else, a browser among them. */
export function formatFor(accept: string | undefined): Format {
  return accept !== undefined && /application\/openmetrics-text/i.test(accept) ? "openmetrics" : "text";
}

/** Metrics without a sample are left out: what is not known now is not there, and never zero. */
export function exposition(metrics: readonly Metric[], format: Format): string {
  const lines = metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap((metric) => family(metric, format));
  if (format === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function family({ name, type, help, samples }: Metric, format: Format): readonly string[] {
  const sampleName = type === "counter" ? `${name}_total` : name;
  const familyName = format === "openmetrics" ? name : sampleName;
  return [
    `# HELP ${familyName} ${escaped(help, format === "openmetrics")}`,
    `# TYPE ${familyName} ${type}`,
    ...samples.map(({ labels, value }) => `${sampleName}${labelText(labels)} ${numberText(value)}`),
  ];
}

function labelText(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value, true)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string, quotes: boolean): string {
  const once = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return quotes ? once.replaceAll('"', '\\"') : once;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}
