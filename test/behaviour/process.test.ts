import { spawn } from 'node:child_process';
/** `isolation: 'process'`: what it survives that a thread does not, and where it differs. DESIGN §7. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

import type { PluginHandle, PluginManager } from 'troupe';
import { describe, expect, it, onTestFinished } from 'vitest';

import { isAlive } from '../support/alive.ts';
import { eventsOf, nextEvent, recordEvents } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import {
  createManager,
  EAGER_RESTART,
  fixture,
  run,
  type SpecOptions,
} from '../support/manager.ts';
import { startNeighbour } from '../support/neighbour.ts';
import { codesOf, failureOf, later } from '../support/outcomes.ts';
import { runProgram } from '../support/program.ts';

type Processed = PluginHandle<{ do: string; [key: string]: unknown }>;

function runProcessed(manager: PluginManager, options: SpecOptions = {}): Promise<Processed> {
  return run(manager, 'processed.mjs', {
    isolation: 'process',
    restart: EAGER_RESTART,
    ...options,
  });
}

describe('a plugin in a process of its own', () => {
  it('is not in ours, and is gone with its life', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager);
    const pid = Number(await plugin.execute({ do: 'pid' }));
    expect(pid).not.toBe(process.pid);
    expect(isAlive(pid)).toBe(true);
    await plugin.restart();
    const next = Number(await plugin.execute({ do: 'pid' }));
    expect(next).not.toBe(pid);
    await plugin.unload();
    await eventually(() => !isAlive(pid) && !isAlive(next));
  });

  it.each([
    ['a SIGKILL from inside', { do: 'kill', signal: 'SIGKILL' }, 'SIGKILL'],
    ['a fault of the machine', { do: 'kill', signal: 'SIGSEGV' }, 'SIGSEGV'],
    ['a native abort', { do: 'abort' }, 'SIGABRT'],
  ])('survives %s: it comes back, and nobody else notices', async (_, deed, signal) => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await runProcessed(manager);
    const begun = failureOf(plugin.execute(deed));
    const waiting = plugin.execute({ do: 'generation' });
    expect(await begun).toMatchObject({
      code: 'PLUGIN_CRASHED',
      message: expect.stringContaining(`ended by ${signal}`) as string,
      data: { reason: 'killed', generation: 1 },
    });
    expect(await waiting).toBe(2);
    expect(await plugin.stats()).toMatchObject({
      restarts: 1,
      zombies: 0,
      lastCrash: { reason: 'killed', exitCode: undefined },
      calls: { crashed: 1, succeeded: 1, inFlight: 0, queued: 0 },
    });
    await neighbour.isUnharmed();
  });

  it.each(['array', 'map', 'set', 'objects', 'keys', 'strings', 'spread'])(
    'survives a heap that is full by %s, with reason oom',
    async (shape) => {
      const manager = createManager();
      const neighbour = await startNeighbour(manager);
      const plugin = await run(manager, 'hoarder.mjs', {
        isolation: 'process',
        limits: { memoryMb: 48 },
        restart: EAGER_RESTART,
      });
      expect(await failureOf(plugin.execute({ shape }))).toMatchObject({
        code: 'PLUGIN_CRASHED',
        data: { reason: 'oom' },
      });
      expect(await plugin.execute({ shape: 'generation' })).toBe(2);
      await neighbour.isUnharmed();
    },
  );

  it('is ended for what it holds beside its heap, with reason memory-limit', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await run(manager, 'hoarder.mjs', {
      isolation: 'process',
      limits: { memoryMb: 16 },
      restart: EAGER_RESTART,
    });
    const over = nextEvent(manager, 'memory-limit');
    expect(await failureOf(plugin.execute({ shape: 'buffers' }))).toMatchObject({
      code: 'PLUGIN_CRASHED',
      data: { reason: 'memory-limit' },
    });
    expect(await over).toMatchObject({ id: 'hoarder', limitBytes: (2 * 16 + 128) * 2 ** 20 });
    expect(await plugin.execute({ shape: 'generation' })).toBe(2);
    await neighbour.isUnharmed();
  });

  it('survives one allocation that is larger than all it may hold', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'hoarder.mjs', {
      isolation: 'process',
      limits: { memoryMb: 48 },
      restart: EAGER_RESTART,
    });
    const { code, data } = await failureOf(plugin.execute({ shape: 'once' }));
    expect(code).toBe('PLUGIN_CRASHED');
    // V8 refuses it, or it is seen to be there
    expect(['oom', 'memory-limit']).toContain(data['reason']);
    expect(await plugin.execute({ shape: 'generation' })).toBe(2);
  });

  it('that waits in the system for ever is ended by its deadline, and leaves no zombie', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager, { limits: { graceMs: 50 } });
    const pid = Number(await plugin.execute({ do: 'pid' }));
    const stuck = plugin.execute({ do: 'wait for ever' }, { timeoutMs: 50 });
    const waiting = plugin.execute({ do: 'generation' });
    expect(await failureOf(stuck)).toMatchObject({
      code: 'CALL_TIMEOUT',
      data: { phase: 'running' },
    });
    expect(await waiting).toBe(2);
    expect(isAlive(pid)).toBe(false);
    expect(await plugin.stats()).toMatchObject({ zombies: 0, lastCrash: { reason: 'hang' } });
  });

  it('does not end at the signals that are meant for the program', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      await plugin.execute({ do: 'kill', signal });
      expect(await plugin.execute({ do: 'generation' })).toBe(1);
    }
  });
});

describe('what a process says', () => {
  it('just before it exits arrives, however much it is', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager);
    const answer = await plugin.execute({ do: 'answer and exit', length: 5e6 });
    expect(answer).toHaveLength(5e6);
    expect(await plugin.execute({ do: 'generation' })).toBe(2);
  });

  it('past the runtime is a log line all the same', async () => {
    const manager = createManager();
    const events = recordEvents(manager);
    const plugin = await runProcessed(manager);
    await plugin.execute({ do: 'print past the runtime', to: 1, text: 'one\ntwo\n' });
    await plugin.execute({ do: 'print past the runtime', to: 2, text: 'three' });
    await plugin.unload();
    await eventually(() => {
      expect(eventsOf(events, 'log')).toMatchObject([
        { id: 'processed', level: 'info', source: 'stdout', message: 'one' },
        { level: 'info', source: 'stdout', message: 'two' },
        { level: 'error', source: 'stderr', message: 'three' },
      ]);
    });
  });

  it('of the pipes themselves is its own end, and nobody else’s', async () => {
    const manager = createManager();
    const neighbour = await startNeighbour(manager);
    const plugin = await runProcessed(manager);
    for (const deed of [{ do: 'write junk' }, { do: 'close', descriptor: 4 }]) {
      const call = plugin.execute(deed);
      expect(await failureOf(call)).toMatchObject({ code: 'PLUGIN_CRASHED' });
    }
    expect(await plugin.execute({ do: 'generation' })).toBe(3);
    await neighbour.isUnharmed();
  });
});

describe('memory between processes', () => {
  it('is copied: large values arrive whole, both ways', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager);
    const value = new Uint8Array(2e7).map((_, i) => i);
    expect(Buffer.compare((await plugin.execute({ do: 'echo', value })) as Buffer, value)).toBe(0);
  });

  it('is moved where that is asked for: the sender has it no longer', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager);
    const value = Uint8Array.of(1, 2, 3);
    const moved = plugin.execute({ do: 'moved', value }, { transfer: [value.buffer] });
    expect(value.byteLength).toBe(0);
    expect(await moved).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('is not shared: who tries is told what to do instead, and goes on', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager);
    const input = plugin.execute({ do: 'echo', value: new SharedArrayBuffer(8) });
    expect(await failureOf(input)).toMatchObject({
      code: 'PAYLOAD_INVALID',
      message: expect.stringContaining('shared memory') as string,
    });
    const result = await failureOf(plugin.execute({ do: 'share' }));
    expect(result.message).toContain('shared memory');
    const named = await failureOf(plugin.execute({ do: 'shared' }));
    expect(named.cause).toMatchObject({ code: 'INVALID_STATE' });
    expect(named.message).toContain("isolation 'thread'");
    expect(await plugin.execute({ do: 'generation' })).toBe(1);
    expect(await plugin.stats()).toMatchObject({ calls: { inFlight: 0, queued: 0 } });
  });

  it('that others share in an event is not heard there, and what follows is', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager);
    await plugin.execute({ do: 'listen' });
    const { events, state } = manager.context;
    await events.emit('news', new SharedArrayBuffer(8));
    await events.emit('news', 'after it');
    await eventually(async () => {
      expect(await state.get('heard')).toBe('after it');
    });
    expect(plugin.state).toBe('running');
  });
});

describe('the environment of a process', () => {
  it('is what the spec names, and the command line tells nothing', async () => {
    process.env['TROUPE_TEST_NAMED'] = 'seen';
    process.env['TROUPE_TEST_SECRET'] = 'unseen';
    onTestFinished(() => {
      delete process.env['TROUPE_TEST_NAMED'];
      delete process.env['TROUPE_TEST_SECRET'];
    });
    const manager = createManager();
    const plugin = await runProcessed(manager, {
      config: { key: 'told by message' },
      permissions: { env: ['TROUPE_TEST_NAMED'] },
    });
    expect(await plugin.execute({ do: 'seen' })).toEqual({
      env: { TROUPE_TEST_NAMED: 'seen' },
      argv: [],
      execArgv: [],
    });
    const pid = String(await plugin.execute({ do: 'pid' }));
    const told = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'utf8'));
    expect(told.join('\n')).not.toMatch(/unseen|told by message/);
  });
});

describe('a program with a plugin in a process', () => {
  it('ends by itself once its manager is closed, and so does the process', async () => {
    const { exitCode, stdout, stderr } = await runProgram('process-program.mjs', 'close');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    await eventually(() => !isAlive(Number(stdout)));
  });

  it('takes it along when it exits, whatever it is inside of', async () => {
    const { exitCode, stdout } = await runProgram('process-program.mjs', 'exit');
    expect(exitCode).toBe(0);
    await eventually(() => !isAlive(Number(stdout)));
  });

  it('does not leave it behind when it is killed', async () => {
    const program = spawn(
      process.execPath,
      [fileURLToPath(fixture('process-program.mjs')), 'stay'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => {
      program.kill('SIGKILL');
    });
    let told = '';
    program.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
    await eventually(() => told.endsWith('\n'));
    const pid = Number(told);
    expect(isAlive(pid)).toBe(true);
    program.kill('SIGKILL');
    await eventually(() => !isAlive(pid));
  });
});

describe('closing', () => {
  it('leaves no descriptor and no calls behind', async () => {
    const manager = createManager();
    const plugin = await runProcessed(manager);
    const calls = Array.from({ length: 50 }, () => later(plugin.execute({ do: 'generation' })));
    const report = await manager.close();
    expect(report).toEqual({ clean: true, problems: [] });
    const codes = new Set(await codesOf(calls));
    expect([...codes].every((code) => code === 'ok' || code === 'PLUGIN_STOPPED')).toBe(true);
  });
});
