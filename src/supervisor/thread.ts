/** A life in a worker thread: the only place that creates a Worker. */
import { MessageChannel, Worker, type MessagePort, type WorkerOptions } from 'node:worker_threads';

import { decode } from '../protocol/codec.ts';
import { CRASH_KIND, KIND, type FrameReader } from '../protocol/frame.ts';
import {
  DEFAULT_LIMITS,
  TERMINATE_FAULTY_MS,
  TERMINATE_TIMEOUT_MS,
  WINDOW_CALLS,
} from '../protocol/limits.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { BootData } from '../protocol/messages.ts';
import type { CrashReason, LogLine } from '../protocol/report.ts';
import { SignalBoard } from '../protocol/signal-board.ts';
import { fromWireError, isWireError, toWireError } from '../protocol/wire-error.ts';
import { wrapControl } from '../transport/control-port.ts';
import { Link } from '../transport/link.ts';
import { messagePortTransport } from '../transport/message-port.ts';
import type { Death, Life, LifeEvents, LifeRequest } from './life.ts';
import { hardLimitMb, heldBytes, type MemoryReading } from './memory-rules.ts';
import { MemoryWatch } from './memory-watch.ts';
import { probeOf, stackOf } from './thread-probe.ts';

const ENTRY = new URL(
  `../../workers/thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
);

export function createThread(request: LifeRequest): Life {
  const { plan, generation, events } = request;
  const bus = new MessageChannel();
  const controlChannel = new MessageChannel();
  const board = new SignalBoard({ slots: WINDOW_CALLS });
  board.hold({ park: false });
  const worker = new Worker(
    ENTRY,
    threadOptions(plan, {
      boot: bootData(request, board),
      busPort: bus.port2,
      controlPort: controlChannel.port2,
    }),
  );
  const obituary = new Obituary();
  const transport = messagePortTransport(bus.port1, () => {
    events.malformed('a message that cannot be deserialised');
  });
  const link = new Link({
    transport,
    generation,
    slots: WINDOW_CALLS,
    onFrame: (frame) => {
      onFrame(frame, events, obituary);
    },
    onMalformed: (what) => {
      events.malformed(what);
    },
    onPending: () => {
      void THIS_TURN.then(flush);
    },
  });
  const flush = (): void => {
    link.flush();
  };
  let memoryWatch: MemoryWatch | undefined;
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      resolve();
    });
  });
  const died = new Promise<Death>((resolve) => {
    const bury = (exitCode: number | undefined, zombie?: Promise<void>): void => {
      memoryWatch?.stop();
      controlChannel.port1.close();
      resolve({ ...obituary.write(exitCode), zombie });
    };
    worker.on('error', (error: unknown) => {
      obituary.heard(isOutOfMemory(error) ? 'oom' : 'uncaught', error);
    });
    worker.on('messageerror', () => {
      events.malformed('a message that cannot be deserialised');
    });
    worker.on('exit', (exitCode) => {
      // what it said before its end wins over the end
      transport.drain();
      bury(exitCode);
    });
    obituary.onZombie = () => {
      worker.unref();
      bury(undefined, gone);
    };
  });
  // what the runtime itself prints into the thread's streams must not pile up unread
  worker.stdout.resume();
  worker.stderr.resume();
  let idle = worker.performance.eventLoopUtilization();
  const idleMs = (): number => worker.performance.eventLoopUtilization().idle;
  const end = (reason: CrashReason | 'asked', message?: string): void => {
    memoryWatch?.stop();
    obituary.expect(reason, message);
    void worker.terminate();
    const limitMs = reason === 'asked' ? TERMINATE_TIMEOUT_MS : TERMINATE_FAULTY_MS;
    const late = setTimeout(() => obituary.onZombie?.(), limitMs);
    void died.then(() => {
      clearTimeout(late);
    });
  };
  const { memoryMb } = plan.limits;
  if (memoryMb !== undefined) {
    memoryWatch = new MemoryWatch({
      memoryMb,
      probe: probeOf(worker),
      idleMs,
      over: (reading, limitBytes) => {
        events.overMemory(reading, limitBytes);
        end('memory-limit', `it held ${inMib(reading)} MiB where it may hold ${String(memoryMb)}`);
      },
    });
  }
  return {
    generation,
    startedAt: Date.now(),
    link,
    board,
    control: wrapControl(controlChannel.port1),
    died,
    end,
    utilization() {
      const now = worker.performance.eventLoopUtilization();
      const { utilization } = worker.performance.eventLoopUtilization(now, idle);
      idle = now;
      return Number.isFinite(utilization) ? utilization : 0;
    },
    idleMs,
    stack: () => stackOf(worker),
  };
}

/** `queueMicrotask` makes an async resource for each batch; a settled promise does not. */
const THIS_TURN = Promise.resolve();

/** Puts together why a thread ended, from what was heard before it did. */
class Obituary {
  onZombie: (() => void) | undefined;
  #reason: Death['reason'] | undefined;
  #message: string | undefined;
  #error: Error | undefined;

  /** We end it. What it said of itself before stays. */
  expect(reason: CrashReason | 'asked', message: string | undefined): void {
    this.#reason ??= reason;
    this.#message ??= message;
  }

  heard(reason: Death['reason'], error?: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    if (error === undefined) return;
    this.#error = error instanceof Error ? error : fromWireError(toWireError(error));
    this.#message = this.#error.message;
  }

  write(exitCode: number | undefined): Omit<Death, 'zombie'> {
    const reason = this.#reason ?? 'exit';
    const message = this.#message ?? `the thread exited with code ${String(exitCode)}`;
    return { reason, message, exitCode, error: this.#error };
  }
}

function onFrame(frame: FrameReader, events: LifeEvents, obituary: Obituary): void {
  switch (frame.kind) {
    case KIND.call:
    case KIND.cancel:
    case KIND.credit:
    case KIND.bind:
      events.outgoing(frame);
      return;
    case KIND.log:
      events.log(decode(frame, DEFAULT_LIMITS) as LogLine);
      return;
    case KIND.parked:
      events.parked(frame.detail);
      return;
    case KIND.awake:
      events.awake(frame.detail);
      return;
    case KIND.crash: {
      const wire = decode(frame, DEFAULT_LIMITS);
      const rejected = frame.detail === CRASH_KIND['unhandled-rejection'];
      const reason = rejected ? 'unhandled-rejection' : 'uncaught';
      obituary.heard(reason, isWireError(wire) ? fromWireError(wire) : wire);
      return;
    }
    case KIND.exit: {
      const said = decode(frame, DEFAULT_LIMITS) as { reason?: unknown };
      obituary.heard(said.reason === 'shutdown' ? 'shutdown' : 'normal');
      return;
    }
    default:
      events.malformed(`a frame of kind ${String(frame.kind)}`);
  }
}

function bootData(request: LifeRequest, board: SignalBoard): BootData {
  const { plan, agentId, generation, entryUrl, sourceMaps } = request;
  return {
    pluginId: plan.metadata.id,
    agentId,
    generation,
    host: plan.host,
    entryUrl,
    sourceMaps,
    config: plan.config,
    concurrency: plan.concurrency,
    limits: plan.limits,
    board: board.buffer,
  };
}

/**
 * Every option is set, on objects without a prototype: neither a polluted `Object.prototype` nor
 * what this process was started with changes a plugin's thread.
 */
function threadOptions(
  { metadata, limits, env }: PluginPlan,
  workerData: { boot: BootData; busPort: MessagePort; controlPort: MessagePort },
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
