/** From the texts of a command line to numbers within their bounds. */
import { usageError } from '../cli-error.ts';

/** A mailbox takes as many by default. */
const IN_FLIGHT_MAX = 10_000;
/** What a pool takes at most. */
const THREADS_MAX = 1_024;
const CONCURRENCY_MAX = 1_024;
const ROUNDS_MAX = 1_000;
/** A timer counts no further. */
const TIME_MS_MAX = 2_147_483_647;
const DURATION_MS_DEFAULT = 1_000;
const TIMEOUT_MS_DEFAULT = 30_000;
const MS_PER_UNIT = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
]);

export const ISOLATIONS = ['thread', 'process', 'pool'] as const;
export type Isolation = (typeof ISOLATIONS)[number];

export interface BenchOptions {
  inputsFile: string | undefined;
  inputJson: string | undefined;
  inFlight: readonly number[];
  threads: readonly number[];
  /** `undefined`: the number of calls alone ends a measurement. */
  durationMs: number | undefined;
  calls: number | undefined;
  warmupMs: number;
  rounds: number;
  /** 0 is none. */
  timeoutMs: number;
  isStream: boolean;
  isolation: Isolation | undefined;
  concurrency: number | undefined;
  config: string | undefined;
  companions: readonly string[];
  showsLogs: boolean;
  isJson: boolean;
  saveFile: string | undefined;
  plotFile: string | undefined;
  compareFile: string | undefined;
  failOnRegressionPercent: number | undefined;
}

export type BenchArguments = Readonly<Record<string, unknown>>;

/** @throws CliError that names the option, what it holds and what it may hold. */
export function optionsOf(args: BenchArguments): BenchOptions {
  const text = (name: string): string | undefined => {
    const value = args[name];
    return typeof value === 'string' ? value : undefined;
  };
  const calls = optional(text('calls'), (value) =>
    whole('--calls', value, 1, Number.MAX_SAFE_INTEGER),
  );
  const durationMs =
    optional(text('duration'), (value) => time('--duration', value, 1)) ??
    (calls === undefined ? DURATION_MS_DEFAULT : undefined);
  const warmupMs = time('--warmup', text('warmup') ?? '300ms', 0);
  const isStream = args['stream'] === true;
  // a stream may well have no end of its own: its deadline is beyond the measurement
  const timeoutMsDefault = TIMEOUT_MS_DEFAULT + (isStream ? (durationMs ?? 0) + warmupMs : 0);
  const options = {
    inputsFile: text('inputs'),
    inputJson: text('input'),
    inFlight: list('--in-flight', text('in-flight') ?? '1,16,256', IN_FLIGHT_MAX),
    threads: list('--threads', text('threads') ?? '1', THREADS_MAX),
    durationMs,
    calls,
    warmupMs,
    rounds: whole('--rounds', text('rounds') ?? '5', 1, ROUNDS_MAX),
    timeoutMs:
      optional(text('timeout'), (value) => time('--timeout', value, 0)) ?? timeoutMsDefault,
    isStream,
    isolation: optional(text('isolation'), isolationOf),
    concurrency: optional(text('concurrency'), (value) =>
      whole('--concurrency', value, 1, CONCURRENCY_MAX),
    ),
    config: text('config'),
    companions: (text('with') ?? '').split(',').filter((name) => name !== ''),
    showsLogs: args['logs'] === true,
    isJson: args['json'] === true,
    saveFile: text('save'),
    plotFile: text('plot'),
    compareFile: text('compare'),
    failOnRegressionPercent: optional(text('fail-on-regression'), percent),
  };
  refuseContradictions(options);
  return options;
}

function refuseContradictions(options: BenchOptions): void {
  if (options.inputsFile !== undefined && options.inputJson !== undefined) {
    throw usageError('--inputs and --input exclude each other: give one of them');
  }
  if (options.failOnRegressionPercent === undefined) return;
  if (options.compareFile === undefined) {
    throw usageError('--fail-on-regression needs --compare FILE, the result to compare with');
  }
  if (options.rounds < 2) {
    throw usageError('--fail-on-regression needs --rounds 2 or more: one round has no spread');
  }
}

function optional<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text);
}

function whole(option: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  const bounds =
    max === Number.MAX_SAFE_INTEGER
      ? `from ${figure(min)}`
      : `from ${figure(min)} to ${figure(max)}`;
  throw usageError(`${option} ${text}: a whole number ${bounds} is needed`);
}

/** Ascending, each once. */
function list(option: string, text: string, max: number): number[] {
  const values = text.split(',').map((part) => whole(option, part, 1, max));
  return [...new Set(values)].toSorted((a, b) => a - b);
}

function time(option: string, text: string, minMs: number): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim()) ?? [];
  const valueMs =
    Number(digits) * (MS_PER_UNIT.get(unit) ?? (Number(digits) === 0 ? 1 : Number.NaN));
  if (valueMs >= minMs && valueMs <= TIME_MS_MAX) return valueMs;
  throw usageError(`${option} ${text}: a time is needed, with its unit, as 500ms, 5s or 1m`);
}

function percent(text: string): number {
  const value = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (value >= 0 && value < 100) return value;
  throw usageError(
    `--fail-on-regression ${text}: a percentage from 0 to below 100 is needed, as 10`,
  );
}

function isolationOf(text: string): Isolation {
  const kind = ISOLATIONS.find((name) => name === text);
  if (kind) return kind;
  throw usageError(`--isolation ${text}: it is one of ${ISOLATIONS.join(', ')}`);
}

function figure(value: number): string {
  return value.toLocaleString('en');
}
