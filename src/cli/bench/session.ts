/**
 * The measurements themselves. In each round every number of threads is brought up afresh, so that
 * what a start draws (where the compiler stands, how the memory lies) is part of the spread.
 */
import { performance } from 'node:perf_hooks';

import { PluginManager } from '../../index.ts';
import { CliError, messageOf } from '../cli-error.ts';
import { callUp, type Crew, type Vitals } from './crew.ts';
import { Failures } from './failures.ts';
import type { Inputs } from './inputs.ts';
import { drive } from './load.ts';
import { Meter, type Count } from './meter.ts';
import type { BenchOptions } from './options.ts';
import type { CellPlan } from './plan.ts';
import type { Cell, Round } from './result.ts';
import type { Target } from './target.ts';

export interface SessionOptions {
  target: Target;
  companions: readonly Target[];
  inputs: Inputs;
  cells: readonly CellPlan[];
  options: BenchOptions;
  onProgress: (round: number, cell: CellPlan) => void;
}

export type Ending =
  | { kind: 'complete' }
  | { kind: 'interrupted' }
  /** The plugin cannot go on, or answers no call: measuring more is no use. */
  | { kind: 'failed'; message: string };

export class Session {
  /** Those of which there is a round. */
  readonly cells: Cell[] = [];
  readonly failures = new Failures();
  readonly #settings: SessionOptions;
  #manager: PluginManager | undefined;
  #meter: Meter | undefined;
  #ending: Ending | undefined;
  #problems: string[] = [];

  constructor(settings: SessionOptions) {
    this.#settings = settings;
  }

  /** What did not end in good order when threads were closed. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Rejects where inputs cannot be made, or the plugin does not come up the first time. */
  async run(): Promise<Ending> {
    const { cells, options } = this.#settings;
    const threadCounts = [...new Set(cells.map(({ threads }) => threads))];
    for (let round = 1; round <= options.rounds; round++) {
      for (const threads of threadCounts) {
        await this.#measure(
          round,
          cells.filter((cell) => cell.threads === threads),
        );
        if (this.#ending) return this.#ending;
      }
    }
    return { kind: 'complete' };
  }

  /** Ends the measurement under way, and closes what is up. */
  interrupt(): void {
    this.#end({ kind: 'interrupted' });
    void this.#manager?.close();
  }

  async #measure(round: number, plans: readonly CellPlan[]): Promise<void> {
    const { target, companions, options, onProgress } = this.#settings;
    const manager = new PluginManager('troupe-bench', {
      logs: options.showsLogs ? 'auto' : 'silent',
    });
    this.#manager = manager;
    try {
      const crew = await callUp(manager, {
        spec: target.spec,
        companions: companions.map(({ spec }) => spec),
        threads: plans[0]?.threads ?? 1,
        onGaveUp: (message) => this.#end({ kind: 'failed', message }),
      });
      for (const plan of plans) {
        if (this.#ending) return;
        onProgress(round, plan);
        await this.#measureCell(crew, plan);
      }
    } catch (error) {
      // what was measured before is worth more than how it ended
      if (this.#ending?.kind === 'interrupted') return;
      if (this.cells.length === 0 || (error instanceof CliError && error.exitCode === 2))
        throw error;
      this.#end({ kind: 'failed', message: messageOf(error) });
    } finally {
      const { problems } = await manager.close();
      this.#problems.push(...problems.map(({ error }) => error.message));
    }
  }

  async #measureCell(crew: Crew, plan: CellPlan): Promise<void> {
    const { options, inputs } = this.#settings;
    const crashesBefore = crew.crashes;
    let callerAt = performance.eventLoopUtilization();
    let callerBusy = 0;
    let plugin: Promise<Vitals> | undefined;
    const meter = new Meter(
      {
        ...options,
        onOpen: () => {
          callerAt = performance.eventLoopUtilization();
          plugin = crew.vitals();
        },
        onShut: () => {
          callerBusy = performance.eventLoopUtilization(callerAt).utilization;
          plugin = plugin?.then(() => crew.vitals());
        },
      },
      () => performance.now(),
    );
    this.#meter = meter;
    const { manager, ids } = crew;
    const { timeoutMs, isStream } = options;
    const onFailure = (error: unknown): string => this.failures.add(error);
    const lanes = {
      manager,
      ids,
      inputs,
      inFlight: plan.inFlight,
      meter,
      timeoutMs,
      isStream,
      onFailure,
    };
    await drive(lanes);
    const pluginBusy = (await plugin)?.busy;
    // a thread that has calls waiting does not say what it holds; now it has none
    const { memoryBytes } = await crew.vitals();
    const count = meter.count();
    const failed = Object.values(count.failures).reduce((a, b) => a + b, 0);
    const answered = count.succeeded + count.chunks;
    // it was ended before anything came of it
    if (this.#ending && answered + (this.#ending.kind === 'failed' ? failed : 0) === 0) return;
    const crashes = crew.crashes - crashesBefore;
    this.#add(plan, {
      ...figuresOf(count, isStream),
      pluginBusy,
      callerBusy,
      memoryBytes,
      crashes,
    });
    if (answered === 0) this.#end({ kind: 'failed', message: NONE_ANSWERED });
  }

  #add({ threads, inFlight }: CellPlan, round: Round): void {
    const cell = this.cells.find((each) => each.threads === threads && each.inFlight === inFlight);
    if (cell) cell.rounds.push(round);
    else this.cells.push({ threads, inFlight, rounds: [round] });
  }

  #end(ending: Ending): void {
    this.#ending ??= ending;
    this.#meter?.stop();
  }
}

const NONE_ANSWERED = 'no call was answered; --logs shows what the plugin logs';

function figuresOf({ windowMs, succeeded, chunks, failures, latencyMs }: Count, isStream: boolean) {
  const perSec = (value: number): number => (windowMs > 0 ? (value / windowMs) * 1_000 : 0);
  return {
    windowMs,
    succeeded,
    failures,
    callsPerSec: perSec(succeeded),
    chunksPerSec: isStream ? perSec(chunks) : undefined,
    latencyMs,
  };
}
