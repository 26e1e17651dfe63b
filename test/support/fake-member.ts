/** A child of a group without a thread: a test says when it stands still, comes up or ends. */
import { PluginError } from '../../src/protocol/errors.ts';
import { DEFAULT_RESTART, type RestartOptions } from '../../src/protocol/limits.ts';
import type { PluginState } from '../../src/protocol/report.ts';
import type { Arrival, Member } from '../../src/supervisor/group-member.ts';
import type { ChildStatus } from '../../src/supervisor/group-policy.ts';
import type { EndReport } from '../../src/supervisor/machine.ts';
import type { End } from '../../src/supervisor/restart-policy.ts';

export const FAULT = new PluginError('PLUGIN_CRASHED', 'the fault of this test');

export class FakeMember implements Member {
  readonly id: string;
  readonly autoStart = true;
  readonly restart: RestartOptions;
  generation = 0;
  status: ChildStatus = 'stopped';
  onEnd: (report: EndReport) => void = () => undefined;
  /** Holds the next halts and revivals back until {@link go}. */
  isSlow = false;
  /** Its revivals end as they begin. */
  isBroken = false;
  readonly #story: string[];
  #waiting: (() => void)[] = [];

  constructor(id: string, story: string[], restart: Partial<RestartOptions> = {}) {
    this.id = id;
    this.#story = story;
    const backoff = { minMs: 0, maxMs: 0, factor: 1, jitter: 0 };
    this.restart = { ...DEFAULT_RESTART, backoff, ...restart };
  }

  get state(): PluginState {
    return this.status === 'up' ? 'running' : 'unloaded';
  }

  end(end: End = 'abnormal'): void {
    this.onEnd({ end, error: FAULT, permanent: false });
  }

  go(): void {
    for (const go of this.#waiting.splice(0)) go();
  }

  start(): Promise<void> {
    this.status = 'up';
    this.generation++;
    return Promise.resolve();
  }

  async halt(): Promise<void> {
    this.#story.push(`halt ${this.id}`);
    await this.#paced();
  }

  async revive(): Promise<Arrival> {
    this.#story.push(`revive ${this.id}`);
    await this.#paced();
    if (!this.isBroken) return { is: 'up' };
    const report: EndReport = { end: 'abnormal', error: FAULT, permanent: false };
    this.onEnd(report);
    return { is: 'ended', report };
  }

  fail(): void {
    this.#story.push(`fail ${this.id}`);
    this.status = 'stopped';
  }

  stop(): Promise<void> {
    this.#story.push(`stop ${this.id}`);
    this.status = 'stopped';
    return Promise.resolve();
  }

  #paced(): Promise<void> {
    if (!this.isSlow) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
