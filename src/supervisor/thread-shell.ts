/**
 * A thread that runs the actor's code and waits to be told which plugin it is: the only place that
 * creates a Worker. Most of a thread's start is in here, and it is the same for every plugin.
 */
import os from 'node:os';
import {
  MessageChannel,
  Worker,
  type MessagePort,
  type ResourceLimits,
  type WorkerOptions,
} from 'node:worker_threads';

import { SharedWords } from '../protocol/board-words.ts';
import { createThreadCells } from '../protocol/code-cells.ts';
import { WINDOW_CALLS } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { boardBytes } from '../protocol/signal-board.ts';
import { PollingCores, SharedSeat } from '../transport/polling-cores.ts';
import { createRings, type Looking, type Rings } from '../transport/rings.ts';
import type { ThreadData } from '../transport/thread-data.ts';
import { bare } from './bare.ts';
import { hardLimitMb } from './memory-rules.ts';

export interface ThreadShell {
  readonly worker: Worker;
  readonly words: SharedWords;
  readonly bus: MessagePort;
  /** Without them all goes over the port. */
  readonly rings?: Rings | undefined;
  /** Its first message is the boot data. */
  readonly control: MessagePort;
}

/** What can only be said when a thread is created. */
type ThreadLimits = Pick<PluginPlan['limits'], 'memoryMb' | 'stackMb'>;

export interface ShellOptions {
  /** For debuggers. */
  name: string;
  env: Readonly<Record<string, string>>;
  /** Whether it may load native ones. */
  addons: boolean;
  limits: ThreadLimits;
}

const ENTRY = new URL(
  `../../workers/thread-start.${import.meta.url.endsWith('.ts') ? 'ts' : 'cjs'}`,
  import.meta.url,
);

/** What the first threads compile, for those that come later. */
const CODE = createThreadCells();

/** One count for all threads of this process. */
const CORES = new PollingCores(os.availableParallelism());
export const LOOKING: Looking = { looking: CORES.memory, cores: CORES.cores };
/** This thread's. */
export const SEAT = new SharedSeat(
  CORES.seat(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))),
);

export function createShell(options: ShellOptions): ThreadShell {
  const bus = new MessageChannel();
  const control = new MessageChannel();
  const words = new SharedWords(new SharedArrayBuffer(boardBytes(WINDOW_CALLS)));
  const rings = createRings(LOOKING);
  const data = {
    board: words.buffer,
    busPort: bus.port2,
    controlPort: control.port2,
    rings,
    code: CODE,
  };
  const worker = new Worker(ENTRY, workerOptions(options, data));
  // what the runtime itself prints into the thread's streams must not pile up unread
  worker.stdout.resume();
  worker.stderr.resume();
  return { worker, words, bus: bus.port1, control: control.port1, rings };
}

/**
 * Every option is set, on objects without a prototype: neither a polluted `Object.prototype` nor
 * what this process was started with changes a plugin's thread.
 */
function workerOptions(
  { name, env, addons, limits }: ShellOptions,
  workerData: ThreadData,
): WorkerOptions {
  return bare({
    argv: [],
    env: bare({ ...env }),
    eval: false,
    execArgv: execArgvOf(addons),
    name,
    resourceLimits: resourceLimitsOf(limits),
    stdin: false,
    stdout: true,
    stderr: true,
    trackUnmanagedFds: true,
    transferList: [workerData.busPort, workerData.controlPort],
    workerData,
  });
}

export function execArgvOf(addons: boolean): string[] {
  return addons ? [] : ['--no-addons'];
}

export function resourceLimitsOf({ memoryMb, stackMb }: ThreadLimits): ResourceLimits {
  return bare({
    ...(memoryMb === undefined ? {} : { maxOldGenerationSizeMb: hardLimitMb(memoryMb) }),
    ...(stackMb === undefined ? {} : { stackSizeMb: stackMb }),
  });
}
