import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { describe, expect, it, onTestFinished } from 'vitest';

import { endThread, isEnding, whenNoneEnds } from '../../src/supervisor/ending-threads.ts';
import { inspectThread } from '../../src/supervisor/inspector.ts';
import { eventually } from '../support/eventually.ts';

async function idleThread(): Promise<Worker> {
  const worker = new Worker('require("node:worker_threads").parentPort.on("message", () => {});', {
    eval: true,
  });
  onTestFinished(() => void worker.terminate());
  await once(worker, 'online');
  return worker;
}

describe('a thread that was told to end', () => {
  it('is ending until it is gone', async () => {
    const worker = await idleThread();
    const { threadId } = worker;
    expect(isEnding(threadId)).toBe(false);
    const ended = endThread(worker);
    expect(isEnding(threadId)).toBe(true);
    const again = endThread(worker);
    await Promise.all([ended, again]);
    expect(isEnding(threadId)).toBe(false);
    expect(worker.threadId).toBe(-1);
    await endThread(worker);
  });

  it('is waited for, and so is one that is told meanwhile', async () => {
    const [first, second] = await Promise.all([idleThread(), idleThread()]);
    const gone: string[] = [];
    first.once('exit', () => {
      gone.push('first');
      void endThread(second);
    });
    second.once('exit', () => gone.push('second'));
    void endThread(first);
    await whenNoneEnds();
    expect(gone).toEqual(['first', 'second']);
  });

  it('is asked nothing by the inspector', async () => {
    const worker = await idleThread();
    const inspector = await inspectThread(worker.threadId);
    onTestFinished(() => inspector.close());
    expect(
      await eventually(async () => (await inspector.ask('Runtime.getHeapUsage')) ?? false),
    ).toMatchObject({ usedSize: expect.any(Number) as number });
    const ended = endThread(worker);
    expect(await inspector.ask('Runtime.getHeapUsage')).toBeUndefined();
    await ended;
  });
});

it('where none ends, there is nothing to wait for', async () => {
  await whenNoneEnds();
});
