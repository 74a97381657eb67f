// Metrics: numbers in memory that cost one addition to move, formatted by prom-client (the only file that imports it)
// when they are asked for. Rows stand in metric-table; a label never has more values than its row allows.

import { AggregatorRegistry, collectDefaultMetrics, type Metric, Registry } from "prom-client";
import { assert } from "../base/assert.ts";
import { type LabelValues, type MetricDefinition, metricTable } from "./metric-table.ts";

type Table = typeof metricTable;
type NamesOf<Type extends MetricDefinition["type"]> = {
  [Name in keyof Table]: Table[Name]["type"] extends Type ? Name : never;
}[keyof Table];
type LabelsOf<Name extends keyof Table> = {
  readonly [Label in keyof Table[Name]["labels"]]: Table[Name]["labels"][Label] extends readonly (infer Value)[]
    ? Value
    : string;
};
/** The labels of a row; rows without labels take none. */
type LabelArguments<Name extends keyof Table> = keyof Table[Name]["labels"] extends never
  ? []
  : [labels: LabelsOf<Name>];

/** Only grows. */
export interface Counter {
  add(amount?: number): void;
  /** Copies a total that is counted elsewhere; a lower one changes nothing. */
  raiseTo(total: number): void;
}

/** Goes up and down. */
export interface Gauge {
  set(value: number): void;
  add(amount: number): void;
}

/** Sorts values into buckets. */
export interface Histogram {
  observe(value: number): void;
  /** Copies counts kept elsewhere: one per bucket of the row and one for larger values; `sum` of all values. */
  load(counts: readonly number[], sum: number): void;
}

/** All metrics of a process as data: what it is made of is prom-client's business. */
export type MetricsJson = readonly object[];

/** The metrics of several processes as one, in the Prometheus text format. */
export function mergedMetrics(all: readonly MetricsJson[]): Promise<string> {
  return AggregatorRegistry.aggregate([...all]).metrics();
}

/** What is left of processes that are gone, as if it were one: a total never falls. */
export async function pastMetrics(all: readonly MetricsJson[]): Promise<MetricsJson> {
  const totals = all.map((one) =>
    one.filter((metric) => ["counter", "histogram"].includes(String((metric as { type?: unknown }).type))),
  );
  return AggregatorRegistry.aggregate(totals).getMetricsAsJSON();
}

/** All metrics of a process. Keep the returned handles: finding them costs more than moving them. */
export interface Metrics {
  counter<Name extends NamesOf<"counter">>(name: Name, ...labels: LabelArguments<Name>): Counter;
  gauge<Name extends NamesOf<"gauge">>(name: Name, ...labels: LabelArguments<Name>): Gauge;
  histogram<Name extends NamesOf<"histogram">>(name: Name, ...labels: LabelArguments<Name>): Histogram;
  /**
   * Makes `rows` all that the metric has: what was there and is not among them is gone. Rows beyond the label's limit
   * become one, `other`, with the sum or the largest of their values.
   */
  replaceSeries<Name extends NamesOf<"counter" | "gauge">>(
    name: Name,
    rows: readonly { readonly labels: LabelsOf<Name>; readonly value: number }[],
    merge: "sum" | "largest",
  ): void;
  /** Calls `collect` before every reading: for gauges that copy a number kept elsewhere. */
  onRead(collect: () => void): void;
  /** The Prometheus text format. */
  text(): Promise<string>;
  /** The same as data, for {@link mergedMetrics}. */
  json(): Promise<MetricsJson>;
  readonly contentType: string;
}

/** Makes an empty set of metrics. `processMetrics`: also Node's own (memory, CPU, event loop, garbage collection). */
export function createMetrics(options: { readonly processMetrics: boolean }): Metrics {
  const registry = new Registry();
  const collectors: (() => void)[] = [];
  const rows = new Map<string, Row>();
  for (const [name, definition] of Object.entries<MetricDefinition>(metricTable)) {
    const row = new Row(name, definition);
    rows.set(name, row);
    // prom-client asks a registered metric for nothing but its name and get().
    registry.registerMetric(row as unknown as Metric);
  }
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const rowOf = (name: string): Row => {
    const row = rows.get(name);
    if (row === undefined) throw new TypeError(`Unknown metric "${name}"`);
    return row;
  };
  // The handles' types have checked the labels against the row.
  const series = (name: string, labels: unknown): Series => rowOf(name).series(labelsOf(labels));
  return {
    counter: (name, ...labels) => series(name, labels[0]),
    gauge: (name, ...labels) => series(name, labels[0]),
    histogram: (name, ...labels) => series(name, labels[0]),
    replaceSeries: (name, values, merge) => {
      const row = rowOf(name);
      row.clear();
      for (const { labels, value } of values) {
        const one = row.series(labelsOf(labels));
        one.set(merge === "sum" ? one.value + value : Math.max(one.value, value));
      }
    },
    onRead: (collect) => collectors.push(collect),
    text: () => {
      for (const collect of collectors) collect();
      return registry.metrics();
    },
    json: () => {
      for (const collect of collectors) collect();
      return registry.getMetricsAsJSON();
    },
    contentType: registry.contentType,
  };
}

function labelsOf(labels: unknown): Readonly<Record<string, string>> {
  return (labels ?? {}) as Readonly<Record<string, string>>;
}

/** One row with one combination of label values. Serves as counter, gauge and histogram: the types tell which. */
class Series implements Counter, Gauge, Histogram {
  readonly labels: Readonly<Record<string, string>>;
  private readonly bounds: readonly number[];
  readonly counts: number[];
  value = 0;
  count = 0;

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  add(amount = 1): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }

  raiseTo(total: number): void {
    this.value = Math.max(this.value, total);
  }

  load(counts: readonly number[], sum: number): void {
    assert(counts.length === this.bounds.length + 1, "a count per bucket and one for larger values");
    this.value = sum;
    this.count = 0;
    for (const [index, count] of counts.entries()) {
      if (index < this.bounds.length) this.counts[index] = count;
      this.count += count;
    }
  }

  observe(value: number): void {
    this.value += value;
    this.count += 1;
    for (let index = 0; index < this.bounds.length; index++) {
      if (value <= (this.bounds[index] ?? 0)) {
        this.counts[index] = (this.counts[index] ?? 0) + 1;
        return;
      }
    }
  }
}

interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** One row of the table with all its series, in the shape that prom-client's registry reads. */
class Row {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  private readonly definition: MetricDefinition;
  private readonly all = new Map<string, Series>();
  private readonly seen = new Map<string, Set<string>>();

  constructor(name: string, definition: MetricDefinition) {
    this.name = `gatehouse_${name}`;
    this.help = definition.help;
    this.type = definition.type;
    this.definition = definition;
    // Zero is an answer, silence is none: increase() does not see the step of a counter that begins with 1.
    const isKnown = (values: LabelValues): values is readonly string[] => !("distinctMax" in values);
    const labels = Object.entries(definition.labels);
    if (labels.length > 0 && definition.type !== "counter") return;
    let combinations: Readonly<Record<string, string>>[] = [{}];
    for (const [label, values] of labels) {
      if (!isKnown(values)) return;
      combinations = combinations.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
    }
    for (const one of combinations) this.series(one);
  }

  series(labels: Readonly<Record<string, string>>): Series {
    const bounded: Record<string, string> = {};
    for (const [label, values] of Object.entries(this.definition.labels)) {
      bounded[label] = this.boundedValue(label, values, labels[label] ?? "");
    }
    const key = JSON.stringify(Object.values(bounded));
    let series = this.all.get(key);
    if (series === undefined) {
      series = new Series(bounded, this.definition.buckets ?? []);
      this.all.set(key, series);
    }
    return series;
  }

  /** Forgets all series and which values its labels had. */
  clear(): void {
    this.all.clear();
    this.seen.clear();
  }

  /** Called by prom-client's registry. */
  get(): { name: string; help: string; type: string; values: Sample[]; aggregator: string } {
    const values = [...this.all.values()].flatMap((series) =>
      this.type === "histogram"
        ? this.histogramSamples(series)
        : [{ labels: series.labels, value: series.value }],
    );
    return {
      name: this.name,
      help: this.help,
      type: this.type,
      values,
      aggregator: this.definition.acrossWorkers ?? "sum",
    };
  }

  private boundedValue(label: string, values: LabelValues, value: string): string {
    if (!("distinctMax" in values)) return values.includes(value) ? value : "other";
    let seen = this.seen.get(label);
    if (seen === undefined) {
      seen = new Set();
      this.seen.set(label, seen);
    }
    if (!seen.has(value)) {
      if (seen.size >= values.distinctMax) return "other";
      seen.add(value);
    }
    return value;
  }

  private histogramSamples(series: Series): Sample[] {
    let total = 0;
    const buckets = (this.definition.buckets ?? []).map((bound, index) => {
      total += series.counts[index] ?? 0;
      return { metricName: `${this.name}_bucket`, labels: { ...series.labels, le: bound }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_bucket`, labels: { ...series.labels, le: "+Inf" }, value: series.count },
      { metricName: `${this.name}_sum`, labels: series.labels, value: series.value },
      { metricName: `${this.name}_count`, labels: series.labels, value: series.count },
    ];
  }
}
