/** A life in a worker thread: the only place that creates a Worker. */
import { MessageChannel, Worker, type WorkerOptions } from 'node:worker_threads';

import { SharedWords } from '../protocol/board-words.ts';
import { WINDOW_CALLS } from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import { boardBytes, SignalBoard } from '../protocol/signal-board.ts';
import { wrapControl } from '../transport/control-port.ts';
import { messagePortTransport, type ThreadData } from '../transport/message-port.ts';
import { openLifeLink } from './life-link.ts';
import { bootDataOf, type Life, type LifeRequest } from './life.ts';
import { hardLimitMb, heldBytes, type MemoryReading } from './memory-rules.ts';
import { MemoryWatch } from './memory-watch.ts';
import { Obituary } from './obituary.ts';
import { diagnosisOf } from './thread-diagnosis.ts';
import { probeOf, stackOf } from './thread-probe.ts';

const ENTRY = new URL(
  `../../workers/thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
);

export function createThread(request: LifeRequest): Life {
  const { plan, generation, events } = request;
  const bus = new MessageChannel();
  const control = new MessageChannel();
  const words = new SharedWords(new SharedArrayBuffer(boardBytes(WINDOW_CALLS)));
  const board = new SignalBoard(words);
  board.hold({ park: false });
  const worker = new Worker(
    ENTRY,
    threadOptions(plan, {
      boot: bootDataOf(request),
      board: words.buffer,
      busPort: bus.port2,
      controlPort: control.port2,
    }),
  );
  const obituary = new Obituary();
  const transport = messagePortTransport(bus.port1, () => {
    events.malformed('a message that cannot be deserialised');
  });
  const link = openLifeLink(transport, request, obituary);
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      resolve();
    });
  });
  worker.on('error', (error: unknown) => {
    obituary.heard(isOutOfMemory(error) ? 'oom' : 'uncaught', error);
  });
  worker.on('messageerror', () => {
    events.malformed('a message that cannot be deserialised');
  });
  worker.on('exit', (exitCode) => {
    // what it said before its end wins over the end
    transport.drain();
    const message = `the thread exited with code ${String(exitCode)}`;
    obituary.close(exitCode, { reason: 'exit', message });
  });
  // what the runtime itself prints into the thread's streams must not pile up unread
  worker.stdout.resume();
  worker.stderr.resume();
  let idle = worker.performance.eventLoopUtilization();
  const idleMs = (): number => worker.performance.eventLoopUtilization().idle;
  const end: Life['end'] = (reason, message) => {
    memoryWatch?.stop();
    obituary.expect(reason, message);
    void worker.terminate();
    obituary.closeInTime(reason, () => {
      worker.unref();
      return gone;
    });
  };
  const diagnosis = diagnosisOf(worker);
  const { memoryMb } = plan.limits;
  const memoryWatch =
    memoryMb === undefined
      ? undefined
      : new MemoryWatch({
          memoryMb,
          probe: probeOf(worker),
          idleMs,
          standsStill: () => diagnosis.standsStill,
          over: (reading, limitBytes) => {
            events.overMemory(reading, limitBytes);
            const held = `it held ${inMib(reading)} MiB where it may hold ${String(memoryMb)}`;
            end('memory-limit', held);
          },
        });
  void obituary.died.then(() => {
    memoryWatch?.stop();
    control.port1.close();
  });
  return {
    generation,
    startedAt: Date.now(),
    link,
    board,
    control: wrapControl(control.port1),
    died: obituary.died,
    sharesMemory: true,
    end,
    utilization() {
      const now = worker.performance.eventLoopUtilization();
      const { utilization } = worker.performance.eventLoopUtilization(now, idle);
      idle = now;
      return Number.isFinite(utilization) ? utilization : 0;
    },
    idleMs,
    stack: () => stackOf(worker),
    diagnosis,
  };
}

/**
 * Every option is set, on objects without a prototype: neither a polluted `Object.prototype` nor
 * what this process was started with changes a plugin's thread.
 */
function threadOptions(
  { metadata, limits, env }: PluginPlan,
  workerData: ThreadData,
): WorkerOptions {
  const resourceLimits = bare({
    ...(limits.memoryMb === undefined
      ? {}
      : { maxOldGenerationSizeMb: hardLimitMb(limits.memoryMb) }),
    ...(limits.stackMb === undefined ? {} : { stackSizeMb: limits.stackMb }),
  });
  return bare({
    argv: [],
    env: bare({ ...env }),
    eval: false,
    execArgv: [],
    name: metadata.id,
    resourceLimits,
    stdin: false,
    stdout: true,
    stderr: true,
    trackUnmanagedFds: true,
    transferList: [workerData.busPort, workerData.controlPort],
    workerData,
  });
}

function bare<T extends object>(options: T): T {
  return Object.assign(Object.create(null) as T, options);
}

function inMib(reading: MemoryReading): string {
  return (heldBytes(reading) / 2 ** 20).toFixed(1);
}

function isOutOfMemory(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    error.code === 'ERR_WORKER_OUT_OF_MEMORY'
  );
}
