/** A life in a worker thread. */
import type { Access } from '../protocol/manifest.ts';
import { SignalBoard } from '../protocol/signal-board.ts';
import { wrapControl } from '../transport/control-port.ts';
import type { Link } from '../transport/link.ts';
import { messagePortTransport } from '../transport/message-port.ts';
import { supervisorEnd } from '../transport/rings.ts';
import { afterSection } from './after-section.ts';
import { endThread } from './ending-threads.ts';
import { openLifeLink, ringing } from './life-link.ts';
import { bootDataOf, type Life, type LifeRequest } from './life.ts';
import { accessToLoad } from './load-paths.ts';
import { heldBytes, type MemoryReading } from './memory-rules.ts';
import { MemoryWatch } from './memory-watch.ts';
import { Obituary } from './obituary.ts';
import { Opening } from './opening.ts';
import { shellFor } from './spare-thread.ts';
import { diagnosisOf } from './thread-diagnosis.ts';
import { probeOf, stackOf } from './thread-probe.ts';
import { SEAT, type ThreadShell } from './thread-shell.ts';

/** A life whose actor is one: its link can be spoken over by the kernel, too. */
export type ThreadLife = Life & { readonly link: Link; readonly board: SignalBoard };

export function createThread(request: LifeRequest): ThreadLife {
  return threadLife(request, shellFor(request.plan));
}

export function threadLife(
  request: LifeRequest,
  { worker, words, bus, control, rings }: ThreadShell,
): ThreadLife {
  const { plan, generation, events } = request;
  const board = new SignalBoard(words);
  board.hold({ park: false });
  control.postMessage(bootDataOf(request, guardOf(request)));
  const obituary = new Obituary((message) => {
    end('killed', message);
  });
  // the plugin can get at the other end
  for (const port of [bus, control]) {
    port.once('close', () => {
      obituary.leaving('it closed a port of the runtime');
    });
  }
  const onBroken = (): void => {
    events.malformed('a message that cannot be deserialised');
  };
  const transport =
    rings && plan.carrier === 'auto'
      ? supervisorEnd(rings, SEAT, { port: bus, onBroken })
      : messagePortTransport(bus, onBroken);
  const exited = (exitCode: number): void => {
    const message = `the thread exited with code ${String(exitCode)}`;
    obituary.close(exitCode, { reason: 'exit', message });
  };
  const carrier = plan.host === 'wasm' ? ringing(transport, board) : transport;
  const link = openLifeLink(carrier, request, obituary, (exitCode) => {
    exited(exitCode);
    // nor may its exit handlers keep it
    terminate();
  });
  const terminate = (): void => {
    afterSection([board], () => void endThread(worker));
  };
  const gone = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      resolve();
    });
  });
  // before who made the thread hears of it: a pool then ends it
  worker.prependListener('error', (error: unknown) => {
    obituary.heard(isOutOfMemory(error) ? 'oom' : 'uncaught', error);
  });
  worker.on('messageerror', () => {
    events.malformed('a message that cannot be deserialised');
  });
  worker.on('exit', (exitCode) => {
    // what it said before its end wins over the end
    transport.drain();
    exited(exitCode);
  });
  let idle = worker.performance.eventLoopUtilization();
  const idleMs = (): number => worker.performance.eventLoopUtilization().idle;
  const opening = new Opening(wrapControl(control), plan.limits.startTimeoutMs);
  const end: Life['end'] = (reason, message) => {
    memoryWatch?.stop();
    obituary.expect(reason, message);
    board.end();
    const endInTime = (): void => {
      terminate();
      obituary.closeInTime(reason, () => {
        worker.unref();
        return gone;
      });
    };
    if (reason === 'asked') opening.end(endInTime, obituary.died);
    else endInTime();
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
    control.close();
  });
  return {
    generation,
    startedAt: Date.now(),
    link,
    links: [link],
    board,
    control: opening.control,
    died: obituary.died,
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

/** Node's permission model is one for all threads of a process. */
function guardOf(request: LifeRequest): Access | undefined {
  const { access } = request.plan;
  return access && accessToLoad(access, request);
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
