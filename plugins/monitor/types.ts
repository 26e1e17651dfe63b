/** What the monitor is asked, and what it answers: data only. */
import type { MetricLabels } from 'troupe/plugin';

export type SeriesKind = 'counter' | 'gauge' | 'histogram';

/**
 * What becomes of the samples of a step. `p99` and the like are quantiles; `rate` is by second;
 * `sum` of a counter is what it grew by.
 */
export type Aggregate = 'last' | 'avg' | 'min' | 'max' | 'sum' | 'count' | 'rate' | `p${number}`;

/** One resolution at which series are kept. */
export interface Retention {
  /** Length of a cell (ms): samples within it are kept as one. */
  stepMs: number;
  keepMs: number;
}

/** Where alerts are told beside the event. A plugin is called with the alert; a URL gets it as JSON. */
export type NotifyTarget =
  | { plugin: string; /** Default 5,000. */ timeoutMs?: number }
  | {
      url: string;
      headers?: Record<string, string>;
      /** Of each try (ms). Default 5,000. */
      timeoutMs?: number;
      /** Further tries after one that failed. Default 3. */
      retries?: number;
    };

export type Severity = 'info' | 'warning' | 'critical';

interface RuleFields {
  /** Unique within a monitor. */
  name: string;
  /** Name of the series it is about. */
  metric: string;
  /** Labels that a series must have; others it may. */
  labels?: MetricLabels;
  /** Default `warning`. */
  severity?: Severity;
  /** `{value}`, `{rule}`, `{metric}` and names of labels in braces are filled in. */
  message?: string;
  /** Default: the monitor's `notify`. */
  notify?: NotifyTarget | NotifyTarget[];
}

interface Bounds {
  /** Exactly one of `above` and `below`. */
  above?: number;
  below?: number;
  /** It resolves when the value is back at this one. Default: the bound itself. */
  clear?: number;
  /** How long it must hold before it fires (ms). Default 0. */
  forMs?: number;
}

/** Each series by itself: its value is out of bounds. */
export interface ThresholdRule extends RuleFields, Bounds {
  type: 'threshold';
  /** Default `last`; of a histogram `avg`. */
  aggregate?: Aggregate;
  /** The samples that count (ms). Default: the last one, or 60,000 where `aggregate` needs more. */
  overMs?: number;
}

/** Each series by itself: it changes too fast, or too slowly (by second). */
export interface RateRule extends RuleFields, Bounds {
  type: 'rate';
  /** Default 60,000. */
  overMs?: number;
}

/** None of the series had a sample for so long. */
export interface AbsenceRule extends RuleFields {
  type: 'absence';
  forMs: number;
}

export type Rule = ThresholdRule | RateRule | AbsenceRule;

export interface Alert {
  rule: string;
  type: Rule['type'];
  severity: Severity;
  metric: string;
  labels: MetricLabels;
  state: 'pending' | 'firing' | 'resolved';
  /** The last one that was looked at; `undefined` where there is none. */
  value: number | undefined;
  message: string;
  /** Since when it is out of bounds (epoch ms). */
  since: number;
  firedAt: number | undefined;
  resolvedAt: number | undefined;
}

export interface Range {
  /** Epoch ms. Not with `lastMs`. */
  fromMs?: number;
  /** So long before `toMs`. Default: what the finest resolution keeps. */
  lastMs?: number;
  /** Epoch ms. Default: now. */
  toMs?: number;
  /** Between two points. Default: that of the finest resolution that goes back so far. */
  stepMs?: number;
}

export interface SeriesQuery {
  name: string;
  /** Labels that a series must have; others it may. */
  labels?: MetricLabels;
  range?: Range;
  /** Default `last`; of a histogram `avg`. */
  aggregate?: Aggregate;
}

export interface Point {
  /** When the step begins (epoch ms). */
  at: number;
  value: number;
}

export interface QueryResult {
  stepMs: number;
  series: { name: string; labels: MetricLabels; kind: SeriesKind; points: Point[] }[];
}

export interface SeriesListing {
  name: string;
  labels: MetricLabels;
  kind: SeriesKind;
  /** Epoch ms of the first and the last sample. */
  firstAt: number;
  lastAt: number;
  /** Of a counter what it came to since the monitor knows it; of a histogram the last mean. */
  last: number;
}

export interface AlertListing {
  /** Pending and firing. */
  active: Alert[];
  /** Resolved, the last one first; 100 at most. */
  recent: Alert[];
}

export interface Recording {
  name: string;
  /** Of a counter: by how much it grew. */
  value: number;
  labels?: MetricLabels;
  /** Default `gauge`. */
  kind?: SeriesKind;
}

/** Each op with what it is given beside its name, and what it answers. */
export interface MonitorOps {
  record: { input: Recording; output: void };
  query: { input: SeriesQuery; output: QueryResult };
  series: { input: { name?: string; labels?: MetricLabels }; output: SeriesListing[] };
  rule: { input: Rule; output: { name: string; replaced: boolean } };
  rules: { input: object; output: Rule[] };
  unrule: { input: { name: string }; output: boolean };
  alerts: { input: object; output: AlertListing };
}

export type MonitorOp = keyof MonitorOps;

export type MonitorInput = {
  [O in MonitorOp]: { op: O } & MonitorOps[O]['input'];
}[MonitorOp];

export type MonitorOutput = MonitorOps[MonitorOp]['output'];

/** What the factory puts into the spec's `config`. */
export interface MonitorConfig {
  intervalMs: number;
  retention: Retention[];
  seriesMax: number;
  rules: Rule[];
  notify: NotifyTarget[];
}
