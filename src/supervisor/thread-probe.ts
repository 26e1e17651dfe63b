/**
 * What a thread holds and what it does, asked from outside: `getHeapStatistics` of the worker
 * where Node has it (22 and newer), the inspector where it has not, and for what only that can.
 */
import type { Worker } from 'node:worker_threads';

import { STACK_ANSWER_MS } from '../protocol/limits.ts';
import { within } from './deadline.ts';
import { fieldOf, inspectThread, type ThreadInspector } from './inspector.ts';
import type { MemoryReading } from './memory-rules.ts';
import type { MemoryProbe } from './memory-watch.ts';

export function probeOf(worker: Worker): MemoryProbe {
  const { threadId } = worker;
  let inspector: Promise<ThreadInspector> | undefined;
  const inspect = (): Promise<ThreadInspector> => (inspector ??= inspectThread(threadId));
  const close = (): void => {
    void inspector?.then((opened) => opened.close());
    inspector = undefined;
  };
  const read = (): Promise<MemoryReading | undefined> =>
    hasHeapStatistics(worker) ? statisticsOf(worker) : inspect().then(readThroughInspector);
  return {
    read,
    async readLive() {
      const opened = await inspect();
      const isCollected = await collectGarbage(opened);
      const reading = isCollected ? await read() : undefined;
      if (hasHeapStatistics(worker)) close();
      return reading;
    },
    close,
  };
}

/** Where a thread is, as lines of a stack, even if it is inside a loop; nothing where it is blocked. */
export async function stackOf({ threadId }: Worker): Promise<string | undefined> {
  const inspector = await inspectThread(threadId);
  const urls = new Map<unknown, unknown>();
  const stopped = new Promise<unknown>((resolve) => {
    inspector.listen((method, params) => {
      if (method === 'Debugger.scriptParsed') urls.set(params['scriptId'], params['url']);
      if (method === 'Debugger.paused') resolve(params['callFrames']);
    });
  });
  const enabled = await inspector.ask('Debugger.enable', {}, STACK_ANSWER_MS);
  const asked = enabled && (await inspector.ask('Debugger.pause', {}, STACK_ANSWER_MS));
  // it stops where it runs JavaScript next, which may be never
  const frames = asked && (await within(stopped, STACK_ANSWER_MS));
  void inspector.ask('Debugger.disable').then(() => {
    inspector.close();
  });
  return Array.isArray(frames)
    ? frames.map((frame) => frameLine(frame, urls)).join('\n')
    : undefined;
}

interface HeapStatistics {
  used_heap_size: number;
  external_memory: number;
}
type MeasuredWorker = Worker & { getHeapStatistics(): Promise<HeapStatistics> };

function hasHeapStatistics(worker: Worker): worker is MeasuredWorker {
  return 'getHeapStatistics' in worker;
}

async function statisticsOf(worker: MeasuredWorker): Promise<MemoryReading | undefined> {
  try {
    const { used_heap_size: heapUsedBytes, external_memory: externalBytes } =
      await worker.getHeapStatistics();
    return { heapUsedBytes, externalBytes };
  } catch {
    // the thread is not up yet, or gone
    return undefined;
  }
}

async function readThroughInspector(
  inspector: ThreadInspector,
): Promise<MemoryReading | undefined> {
  const [heap, external] = await Promise.all([
    inspector.ask('Runtime.getHeapUsage'),
    inspector.ask('Runtime.evaluate', {
      expression: 'process.memoryUsage().external',
      returnByValue: true,
      silent: true,
    }),
  ]);
  const heapUsedBytes = heap?.['usedSize'];
  if (typeof heapUsedBytes !== 'number') return undefined;
  const value = fieldOf(external?.['result'], 'value');
  return { heapUsedBytes, externalBytes: typeof value === 'number' ? value : 0 };
}

/**
 * `HeapProfiler.collectGarbage` waits for the thread's event loop, which a loop never reaches.
 * Counting the objects of a class collects the garbage first, at once; that class is empty.
 */
async function collectGarbage(inspector: ThreadInspector): Promise<boolean> {
  const objectGroup = 'troupe';
  const expression = '(class Nothing {}).prototype';
  const made = await inspector.ask('Runtime.evaluate', { expression, objectGroup, silent: true });
  const prototypeObjectId = fieldOf(made?.['result'], 'objectId');
  if (typeof prototypeObjectId !== 'string') return false;
  const counted = await inspector.ask('Runtime.queryObjects', { prototypeObjectId, objectGroup });
  void inspector.ask('Runtime.releaseObjectGroup', { objectGroup });
  return counted !== undefined;
}

function frameLine(frame: unknown, urls: ReadonlyMap<unknown, unknown>): string {
  const name = fieldOf(frame, 'functionName');
  const location = fieldOf(frame, 'location');
  const url = urls.get(fieldOf(location, 'scriptId')) ?? fieldOf(frame, 'url');
  const line = Number(fieldOf(location, 'lineNumber')) + 1;
  const column = Number(fieldOf(location, 'columnNumber')) + 1;
  const where = `${String(url)}:${String(line)}:${String(column)}`;
  return typeof name === 'string' && name ? `    at ${name} (${where})` : `    at ${where}`;
}
