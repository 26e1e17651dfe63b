/** A plugin that breaks its connection, or says what nobody can read. FAILURES 5, 20 to 23, 33. */
import { describe, expect, it } from 'vitest';

import { eventsOf, nextEvent } from '../../support/events.ts';
import {
  FailureScene,
  ISOLATIONS,
  unharmed,
  type Deed,
  type Isolation,
} from '../../support/failure-scene.ts';
import { createManager, run } from '../../support/manager.ts';
import { codesOf, failureOf, later, readAll } from '../../support/outcomes.ts';

const MIB = 1024 * 1024;

describe('row 5: a plugin that breaks its connection', () => {
  it.each<[string, Isolation, [Deed, string][]]>([
    [
      'closes its ports, or lets them hold nothing',
      'thread',
      [
        [{ do: 'close its ports' }, 'exit'],
        [{ do: 'close its ports', stay: true }, 'killed'],
        [{ do: 'unref its ports' }, 'exit'],
      ],
    ],
    [
      'closes its pipes, or writes junk into them',
      'process',
      [
        [{ do: 'destroy its sockets' }, 'killed'],
        [{ do: 'close a descriptor', descriptor: 3 }, 'killed'],
        [{ do: 'close a descriptor', descriptor: 4 }, 'killed'],
        [{ do: 'write junk', bytes: new Uint8Array(64).fill(255) }, 'killed'],
        [{ do: 'write junk', bytes: new TextEncoder().encode('hello there, world\n') }, 'killed'],
      ],
    ],
  ])('(it %s, in a %s) crashes like any other', async (_, isolation, cases) => {
    const scene = await FailureScene.open(isolation);
    const crashes = await scene.dies(cases.map(([deed]) => deed));
    expect(crashes.map(({ reason }) => reason)).toEqual(cases.map(([, reason]) => reason));
  });

  it('(its board, in a process) dies at the next call', async () => {
    const manager = createManager();
    const plugin = await run(manager, 'saboteur.mjs', { isolation: 'process' });
    const calls = [
      plugin.execute({ do: 'close a descriptor', descriptor: 5, answers: true }),
      plugin.execute({ do: 'echo' }),
      plugin.execute({ do: 'generation' }),
    ];
    const [, , last] = await codesOf(calls);
    expect(last).toBe('ok');
    expect(await plugin.stats()).toMatchObject({
      generation: 2,
      calls: { inFlight: 0, queued: 0 },
    });
  });

  it('(its parentPort, in a thread) breaks nothing: the runtime does not use it', async () => {
    const scene = await FailureScene.open('thread');
    const settled = scene.settles({ do: 'close parentPort' });
    await scene.letGo();
    expect(await settled).toEqual(unharmed('closed'));
    await scene.survived({ lives: 1 });
  });
});

describe.each(ISOLATIONS)('in a %s', (isolation) => {
  it.each<[string, Deed, string]>([
    ['a function', { do: 'result', what: 'function' }, 'PAYLOAD_INVALID'],
    ['a symbol', { do: 'result', what: 'symbol' }, 'PAYLOAD_INVALID'],
  ])('row 20: a result with %s is an error of its call alone', async (_, deed, code) => {
    const scene = await FailureScene.open(isolation);
    const settled = scene.settles(deed);
    scene.read('chunk', { do: 'chunk that cannot be sent' });
    scene.ask('inside', { do: 'send what cannot be sent' });
    await scene.letGo();
    expect(await settled).toEqual(unharmed(code));
    expect(await scene.outcomes()).toMatchObject({
      chunk: 'fine, PAYLOAD_INVALID',
      inside: 'PAYLOAD_INVALID,PAYLOAD_INVALID,PAYLOAD_INVALID',
    });
    await scene.survived({ lives: 1 });
  });

  it('row 22: what a stuck plugin is flooded with is bounded by its mailbox', async () => {
    const capacity = 200;
    const scene = await FailureScene.open(isolation, {
      mailbox: { capacity, overflow: 'reject' },
    });
    const deed = later(scene.plugin.execute({ do: 'loop' }, { timeoutMs: 2_000 }));
    const flood = Array.from({ length: 3_000 }, (_, i) =>
      scene.plugin.execute({ do: 'echo', value: i }),
    );
    const text = 'x'.repeat(64 * MIB);
    const large = later(scene.plugin.execute({ do: 'echo', value: text }));
    const codes = await codesOf(flood);
    expect(await codesOf([deed, large])).toEqual(['CALL_TIMEOUT', 'PAYLOAD_TOO_LARGE']);
    const accepted = codes.filter((code) => code === 'ok').length;
    expect(codes).toEqual(flood.map((_, i) => (i < accepted ? 'ok' : 'MAILBOX_FULL')));
    expect(accepted).toBeGreaterThanOrEqual(capacity);
    expect(accepted).toBeLessThan(3_000);
    expect(await scene.outcomes()).toMatchObject({ begun: 'PLUGIN_CRASHED' });
    scene.made(accepted + 1);
    await scene.survived({ lives: 2 });
  });

  it('row 23: bytes are copied, also from a pool, unless they are moved on request', async () => {
    const manager = createManager();
    const plugin = await run<Deed, Uint8Array>(manager, 'saboteur.mjs', { isolation });
    const pooled = Buffer.from('pooled');
    const own = new Uint8Array(MIB).fill(7);
    expect(pooled.buffer.byteLength).toBeGreaterThan(pooled.byteLength);
    for (const value of [pooled, own]) {
      const back = await plugin.execute({ do: 'echo', value });
      expect(Buffer.compare(back, value)).toBe(0);
    }
    expect([pooled.toString(), own.byteLength]).toEqual(['pooled', MIB]);
    const moved = plugin.execute({ do: 'echo', value: own }, { transfer: [own.buffer] });
    expect(own.byteLength).toBe(0);
    expect(await moved).toHaveLength(MIB);
    // a pool cannot be moved: others have bytes in it
    const pool = { transfer: [pooled.buffer] };
    expect(await plugin.execute({ do: 'echo', value: pooled }, pool)).toHaveLength(6);
    expect(pooled.toString()).toBe('pooled');
  });

  it('row 33: keys that pollute elsewhere are neither merged nor renamed, also in a config', async () => {
    const manager = createManager();
    const text =
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"a":1}';
    const config = JSON.parse(text) as Record<string, unknown>;
    const plugin = await run(manager, 'saboteur.mjs', { isolation, config });
    const back = await plugin.execute({ do: 'echo', value: JSON.parse(text) as unknown });
    expect(JSON.stringify(back)).toBe(text);
    await manager.context.state.set('value', back);
    expect(JSON.stringify(await manager.context.state.get('value'))).toBe(text);
    expect('polluted' in {}).toBe(false);
    expect(await plugin.execute({ do: 'see' })).toMatchObject({ polluted: [] });
  });
});

describe('row 21: what cannot be read on arrival', () => {
  it.each<[Isolation, Deed]>([
    ['thread', { do: 'post what cannot be read' }],
    ['process', { do: 'write what no frame is' }],
  ])('(from a %s) costs that message alone, and is told of', async (isolation, deed) => {
    const scene = await FailureScene.open(isolation);
    const told = nextEvent(scene.manager, 'warning', ({ id }) => id === 'saboteur');
    const settled = scene.settles(deed);
    await told;
    await scene.letGo();
    expect(await settled).toEqual(unharmed(isolation === 'thread' ? 'posted' : 'written'));
    await scene.survived({ lives: 1 });
    expect(eventsOf(scene.events, 'crashed')).toEqual([]);
  });
});

describe('row 20: an input that cannot be sent', () => {
  it('is refused before anybody hears of it', async () => {
    const scene = await FailureScene.open('thread');
    const trap = {
      get it(): never {
        throw new Error('do not look');
      },
    };
    for (const value of [() => 1, Symbol('x'), new WeakMap(), Promise.resolve(), trap]) {
      const deed = { do: 'echo', value };
      expect(await failureOf(scene.plugin.execute(deed))).toMatchObject({
        code: 'PAYLOAD_INVALID',
      });
      const { error } = await readAll(scene.plugin.stream(deed));
      expect(error).toMatchObject({ code: 'PAYLOAD_INVALID' });
    }
    await scene.letGo();
    await scene.survived({ lives: 1 });
  });
});
