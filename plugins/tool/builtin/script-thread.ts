/**
 * The thread in which snippets run. The engine cannot be interrupted in its native loops (`join` of
 * a huge array), but a thread can be ended at any moment: so a run that is over its time ends with
 * it, and the next one begins in another.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { bounded } from '../bounded.ts';
import { ToolError } from '../tool-error.ts';
import type { ScriptAnswer, ScriptJob, ScriptMemory } from './script-job.ts';

const ENTRY = new URL('./script-worker.js', import.meta.url);
const START_TIMEOUT_MS = 10_000;
/** Of the thread's own heap (MiB): texts that go to a VM and come from it. */
const HEAP_MB = 64;

interface Life {
  worker: Worker;
  ready: Promise<unknown>;
}

export class ScriptThread {
  readonly #memory: ScriptMemory;
  readonly #runMs: number;
  #life: Life | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(memory: ScriptMemory, runMs: number) {
    this.#memory = memory;
    this.#runMs = runMs;
  }

  /** Settles when the thread is up. Else the first run begins it. */
  async start(): Promise<Worker> {
    const { worker, ready } = (this.#life ??= begin(this.#memory));
    await ready;
    return worker;
  }

  /**
   * One after the other; each has all of its time for itself.
   *
   * @throws ToolError `SCRIPT_TIMEOUT`, or what the VM says; the signal's reason.
   */
  async run(job: ScriptJob, signal: AbortSignal): Promise<string> {
    const mine = this.#last.then(async () => this.#run(job, signal));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #run(job: ScriptJob, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    let answer: ScriptAnswer;
    try {
      const timeoutMessage = `its thread did not start in ${String(START_TIMEOUT_MS)} ms`;
      const starting = { timeoutMs: START_TIMEOUT_MS, signal, timeoutMessage };
      const worker = await bounded(starting, async () => this.start());
      answer = await bounded(
        {
          timeoutMs: this.#runMs,
          signal,
          timeoutCode: 'SCRIPT_TIMEOUT',
          timeoutMessage: `the script took longer than ${String(this.#runMs)} ms`,
        },
        async () => {
          worker.postMessage(job);
          return answerOf(worker);
        },
      );
    } catch (error) {
      this.#end();
      throw error;
    }
    if ('text' in answer) return answer.text;
    throw new ToolError(answer.code, answer.message);
  }

  #end(): void {
    void this.#life?.worker.terminate();
    this.#life = undefined;
  }
}

function begin(memory: ScriptMemory): Life {
  const worker = new Worker(ENTRY, {
    workerData: memory,
    argv: [],
    env: {},
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB + memory.memoryMb },
  });
  // it ends with the plugin's thread, and keeps nobody
  worker.unref();
  // who waits for an answer hears of it as well
  worker.on('error', () => undefined);
  return { worker, ready: once(worker, 'message') };
}

async function answerOf(worker: Worker): Promise<ScriptAnswer> {
  try {
    const [answer] = (await once(worker, 'message')) as [ScriptAnswer];
    return answer;
  } catch (error) {
    throw new ToolError('SCRIPT_FAILED', 'the thread of the script ended', { cause: error });
  }
}
