/** Counts how runs ended, by tool: for the plugin's stats and its metrics. */
import type { PluginContext } from 'troupe/plugin';

/** Codes are the tools' own as well: beyond so many of one tool, a new one counts as `OTHER`. */
const CODES_MAX = 20;

interface ToolCounts {
  calls: number;
  errors: Record<string, number>;
  /** Runs that were given up and have not ended. */
  abandoned: number;
}

export class Tally {
  readonly #metrics: PluginContext['metrics'];
  readonly #tools = new Map<string, ToolCounts>();
  #unknown = 0;

  constructor(metrics: PluginContext['metrics']) {
    this.#metrics = metrics;
  }

  /** A call named a tool that is not there. */
  unknown(): void {
    this.#unknown++;
  }

  /** @param code `undefined` where it went well. */
  settled(tool: string, code: string | undefined, tookMs: number): void {
    const counts = this.#countsOf(tool);
    counts.calls++;
    let outcome = 'ok';
    if (code !== undefined) {
      const isNew = !Object.hasOwn(counts.errors, code);
      outcome = isNew && Object.keys(counts.errors).length >= CODES_MAX ? 'OTHER' : code;
      counts.errors[outcome] = (counts.errors[outcome] ?? 0) + 1;
    }
    this.#metrics.counter('tool_calls_total', { tool, outcome }).add();
    this.#metrics.histogram('tool_call_duration_ms', { tool }).record(tookMs);
  }

  abandoned(tool: string): number {
    return this.#countsOf(tool).abandoned;
  }

  abandon(tool: string, run: Promise<unknown>): void {
    const counts = this.#countsOf(tool);
    counts.abandoned++;
    void run.finally(() => counts.abandoned--);
  }

  /** Tools whose runs do not end, with how many. */
  stuck(max: number): string[] {
    return [...this.#tools].filter(([, { abandoned }]) => abandoned >= max).map(([name]) => name);
  }

  stats(): Record<string, unknown> {
    const tools = [...this.#tools.values()];
    const errors: Record<string, number> = {};
    if (this.#unknown > 0) errors['TOOL_NOT_FOUND'] = this.#unknown;
    for (const [code, count] of tools.flatMap((tool) => Object.entries(tool.errors))) {
      errors[code] = (errors[code] ?? 0) + count;
    }
    return {
      calls: tools.reduce((sum, { calls }) => sum + calls, this.#unknown),
      errors,
      tools: Object.fromEntries(this.#tools),
    };
  }

  #countsOf(tool: string): ToolCounts {
    const counts = this.#tools.get(tool) ?? { calls: 0, errors: {}, abandoned: 0 };
    this.#tools.set(tool, counts);
    return counts;
  }
}
