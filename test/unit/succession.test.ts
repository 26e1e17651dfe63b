import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FLAG } from '../../src/protocol/frame.ts';
import { LEAVING_VERSIONS_MAX } from '../../src/protocol/limits.ts';
import type { Death } from '../../src/supervisor/life.ts';
import type { EndReport } from '../../src/supervisor/machine.ts';
import type { Question } from '../support/fake-life.ts';
import { succeeding } from '../support/fake-versions.ts';
import type { Recorder } from '../support/recorder.ts';
import { turns } from '../support/turns.ts';
import { watch } from '../support/watch.ts';

type Stage = ReturnType<typeof succeeding>;

const ONCE = { reload: { attempts: 1 } };
const STATELESS = { reload: { attempts: 1, preserveState: false } };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A call that the present version has begun. */
async function begun(stage: Stage, value: unknown, flags = 0) {
  const receiver = stage.ask(value, { flags });
  await turns();
  stage.latest().actor.begin();
  return receiver;
}

describe('a version that comes', () => {
  it('takes the place of the one before, with its state and the calls that wait, in their order', async () => {
    const stage = succeeding(ONCE);
    const { succession, up, told, life, ask } = stage;
    await up();
    const first = await begun(stage, 1);
    const others = [2, 3].map((value) => ask(value));
    stage.becomes({ ...ONCE, metadata: { version: '1.1.0' } });
    const before = told().length;
    const result = await succession.reload();
    expect(result).toMatchObject({
      ok: true,
      from: { version: '1.0.0', generation: 1 },
      to: { version: '1.1.0', generation: 2 },
      attempts: 1,
      statePreserved: true,
    });
    expect(told().slice(before)).toEqual([
      'reload-started',
      'state-preserved',
      'state-restored',
      'reload-completed',
    ]);
    others.push(ask(4));
    await turns();
    expect(life(2).asked).toEqual(['open', 'load', 'init', 'restore', 'start']);
    expect([life(2).waiting, life(1).ended]).toEqual([[2, 3, 4], undefined]);
    life(2).actor.finish();
    life(1).actor.finish();
    await turns();
    expect(first.heard).toEqual(['result 1']);
    expect(others.map(({ heard }) => heard)).toEqual([['result 2'], ['result 3'], ['result 4']]);
    expect([life(1).asked.at(-1), life(1).ended]).toEqual(['shutdown', 'asked']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

/** What goes wrong on the way: what is done about the lives, and what the refusal says. */
const REFUSALS: [string, (stage: Stage) => void, RegExp][] = [
  ['cannot be made out', ({ refuses }) => refuses(new Error('no plan')), /no plan/],
  ['has no code', ({ script }) => (script.prepare = new Error('no file')), /no file/],
  ['fails in init', ({ script }) => (script.answers.init = new Error('no table')), /no table/],
  ['fails in start', ({ script }) => (script.answers.start = new Error('no port')), /no port/],
  ['hangs in start', ({ script }) => (script.answers.start = 'hangs'), /from start within/],
  ['hangs in restore', ({ script }) => (script.answers.restore = 'hangs'), /from restore within/],
  ['gets no snapshot', ({ script }) => (script.answers.snapshot = new Error('no')), /in snapshot/],
  ['crashes in restore', onQuestion('restore', 'exit'), /it died: exit/],
  ['crashes in start', onQuestion('start', 'exit'), /it died: exit/],
  ['ends in start', onQuestion('start', 'normal'), /was stopped/],
  ['crashes while it is looked at', onQuestion('health', 'exit'), /died: exit/],
  ['ends while it is looked at', onQuestion('health', 'normal'), /ended before/],
];

/** The new version's life ends so, when it is asked this. */
function onQuestion(question: Question | 'health', reason: Death['reason']) {
  return ({ script }: Stage): void => {
    script.whenAsked = (asked, life) => {
      if (asked === question && life.generation > 1) life.die(reason);
    };
  };
}

describe('a version that', () => {
  it.each(REFUSALS)('%s is refused, and the one before was never gone', async (_, spoil, says) => {
    const stage = succeeding(ONCE);
    const { succession, up, told, life, ask } = stage;
    await up();
    const first = await begun(stage, 1);
    const before = told().length;
    spoil(stage);
    const reload = succession.reload();
    await turns();
    const waiting = ask(2);
    await vi.advanceTimersByTimeAsync(10_000);
    const { ok, error } = await reload;
    expect([ok, error?.code]).toEqual([false, 'RELOAD_FAILED']);
    expect(error?.message).toMatch(says);
    life(1).actor.finish();
    await turns();
    expect([first.heard, waiting.heard]).toEqual([['result 1'], ['result 2']]);
    expect([succession.state, succession.generation]).toEqual(['running', 1]);
    const events = told()
      .slice(before)
      .filter((line) => !line.startsWith('state-') && line !== 'rolled-back');
    expect(events).toEqual(['reload-started', 'reload-failed']);
    expect(stage.lives.slice(1).filter(({ isDead }) => !isDead)).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a reload', () => {
  it('is tried as often as it may be, and tells of each attempt', async () => {
    const stage = succeeding({ reload: { attempts: 3, cooldownMs: 1_000 } });
    const { succession, up, told, script } = stage;
    await up();
    const before = told().length;
    script.answers.init = new Error('not yet');
    const reload = succession.reload();
    await vi.advanceTimersByTimeAsync(1_999);
    script.answers = {};
    await vi.advanceTimersByTimeAsync(1);
    expect(await reload).toMatchObject({ ok: true, attempts: 3, to: { generation: 4 } });
    expect(told().slice(before)).toEqual([
      'reload-started',
      'rolled-back',
      'rolled-back',
      'state-preserved',
      'state-restored',
      'reload-completed',
    ]);
  });

  it.each(['stop', 'unload'] as const)(
    'gives way to %s, also between two attempts',
    async (verb) => {
      const { succession, up, script } = succeeding({
        reload: { attempts: 3, cooldownMs: 60_000 },
      });
      await up();
      script.answers.init = new Error('not yet');
      const reloads = [succession.reload(), succession.reload()];
      await vi.advanceTimersByTimeAsync(1);
      const done = watch(succession.perform(verb));
      await vi.advanceTimersByTimeAsync(1);
      expect(done.is).toBe('done');
      expect((await Promise.all(reloads)).map(({ ok, attempts }) => [ok, attempts])).toEqual([
        [false, 1],
        [false, 1],
      ]);
      expect(succession.state).toBe(verb === 'stop' ? 'initialized' : 'unloaded');
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it('waits for the verbs under way, and verbs that come wait for it', async () => {
    const { succession, up, lives, latest } = succeeding(ONCE);
    await up();
    const done = [succession.perform('pause'), succession.reload(), succession.perform('resume')];
    await Promise.all(done);
    expect(lives.map(({ asked }) => asked)).toEqual([
      ['open', 'load', 'init', 'start', 'pause', 'snapshot', 'shutdown'],
      ['open', 'load', 'init', 'restore', 'start', 'pause', 'resume'],
    ]);
    expect([succession.state, latest().generation]).toEqual(['running', 2]);
  });

  it('does not wait for a new version that ends while it is to be paused', async () => {
    const stage = succeeding(ONCE);
    const { succession, up, life } = stage;
    await up();
    await succession.perform('pause');
    onQuestion('pause', 'normal')(stage);
    const reload = succession.reload();
    await vi.advanceTimersByTimeAsync(1);
    expect(await reload).toMatchObject({ ok: false });
    expect([succession.state, life(2).isDead, life(1).isDead]).toEqual(['paused', true, false]);
  });

  it('is refused where one of several replicas ends while another one is looked at', async () => {
    const replicas = { min: 2, max: 2, growAfterMs: 500, shrinkAfterMs: 30_000 };
    const stage = succeeding({ ...ONCE, replicas });
    await stage.up();
    stage.script.whenAsked = (asked, life) => {
      if (asked !== 'health' || life.generation < 3 || life.replica === 0) return;
      stage.life(3).die('exit');
    };
    const reload = stage.succession.reload();
    await vi.advanceTimersByTimeAsync(1);
    expect(await reload).toMatchObject({ ok: false, error: { data: { code: 'PLUGIN_CRASHED' } } });
    expect(stage.lives.map(({ isDead }) => isDead)).toEqual([false, false, true, true]);
  });

  it('gives way to an order of the group, whose the next version is after the switch', async () => {
    const { succession, up, script, latest } = succeeding(ONCE);
    await up();
    const reports: EndReport[] = [];
    succession.overseer = { ended: (report) => reports.push(report), changed: () => undefined };
    script.answers.start = 'hangs';
    const calledOff = succession.reload();
    await turns();
    succession.order({ type: 'halt' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await calledOff).toMatchObject({
      ok: false,
      error: { data: { code: 'PLUGIN_STOPPED' } },
    });
    expect(succession.phase).toEqual({ at: 'restarting', step: 'waiting' });
    script.answers = {};
    expect(await succession.reload()).toMatchObject({ ok: true });
    expect(reports).toEqual([]);
    latest().die('exit');
    await turns();
    expect(reports).toMatchObject([{ end: 'abnormal', error: { code: 'PLUGIN_CRASHED' } }]);
    expect(succession.phase).toEqual({ at: 'restarting', step: 'waiting' });
  });
});

describe('a version that serves after a switch', () => {
  it('is restarted within its own budget, and then the plugin has failed for good', async () => {
    const { succession, up, told, lives, ask, becomes } = succeeding({ restart: { intensity: 0 } });
    await up();
    becomes({
      restart: { intensity: 2, backoff: { minMs: 100, maxMs: 100, factor: 1, jitter: 0 } },
    });
    await succession.reload();
    const before = told().length;
    for (let crash = 1; crash <= 2; crash++) {
      lives.at(-1)?.die('exit');
      await vi.advanceTimersByTimeAsync(100);
      expect([succession.state, succession.generation]).toEqual(['running', 2 + crash]);
    }
    const waiting = ask(1);
    lives.at(-1)?.die('exit');
    await vi.advanceTimersByTimeAsync(60_000);
    const crashAndBack = [
      'crashed',
      'running → restarting',
      'restarting',
      'restarting → running',
      'restarted',
    ];
    expect(told().slice(before)).toEqual([
      ...crashAndBack,
      ...crashAndBack,
      'crashed',
      'running → failed',
      'gave-up',
      'dead-letter',
    ]);
    expect([waiting.heard, lives.length]).toEqual([['PLUGIN_CRASHED'], 4]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves its restarts to nobody when it crashes with calls at the one before', async () => {
    const stage = succeeding(STATELESS);
    await stage.up();
    const old = await begun(stage, 1);
    await stage.succession.reload();
    stage.life(2).die('exit');
    await turns();
    expect([stage.succession.state, stage.succession.generation]).toEqual(['running', 3]);
    stage.life(1).actor.finish();
    await turns();
    expect([old.heard, stage.life(1).isDead]).toEqual([['result 1'], true]);
  });
});

describe('a version that leaves', () => {
  it('is ended after its time, and what it is inside of is rejected', async () => {
    const stage = succeeding({ ...STATELESS, limits: { stopTimeoutMs: 50 } });
    const { succession, up, life, script } = stage;
    await up();
    const held = await begun(stage, 1);
    await succession.reload();
    script.answers.shutdown = 'hangs';
    await vi.advanceTimersByTimeAsync(29_999);
    expect([held.heard, life(1).asked.includes('shutdown')]).toEqual([[], false]);
    await vi.advanceTimersByTimeAsync(51);
    expect([held.heard, life(1).isDead]).toEqual([['PLUGIN_STOPPED'], true]);
    expect(succession.state).toBe('running');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives what may be repeated to the next one when it crashes, and is gone at once', async () => {
    const stage = succeeding(STATELESS);
    const { succession, up, told, life } = stage;
    await up();
    const once = await begun(stage, 1);
    const again = await begun(stage, 2, FLAG.idempotent);
    await succession.reload();
    const before = told().length;
    life(1).die('exit');
    await turns();
    expect([once.heard, told().slice(before)]).toEqual([['PLUGIN_CRASHED'], ['crashed']]);
    // nobody waits for it any more
    expect(vi.getTimerCount()).toBe(0);
    life(2).actor.finish();
    await turns();
    expect(again.heard).toEqual(['result 2']);
    expect([succession.state, stage.lives.length]).toEqual(['running', 2]);
  });

  it('ends a call there whose buffers have moved, though it had not begun', async () => {
    const stage = succeeding(ONCE);
    const { succession, up, life } = stage;
    await up();
    const moved = stage.ask(1, { transfer: [new ArrayBuffer(8)] });
    await turns();
    expect(await succession.reload()).toMatchObject({ ok: true, statePreserved: true });
    expect(life(1).board.mayBegin()).toBe(true);
    life(1).actor.finish();
    await turns();
    expect([moved.heard, life(1).isDead]).toEqual([['result 1'], true]);
  });

  it('makes the next reload wait where too many are leaving', async () => {
    const stage = succeeding(STATELESS);
    await stage.up();
    const held: Recorder[] = [];
    for (let version = 1; version <= LEAVING_VERSIONS_MAX; version++) {
      held.push(await begun(stage, version));
      await stage.succession.reload();
    }
    held.push(await begun(stage, 'last'));
    const reload = stage.succession.reload();
    await turns();
    expect(stage.lives).toHaveLength(LEAVING_VERSIONS_MAX + 1);
    expect((await stage.succession.stats()).calls.inFlight).toBe(LEAVING_VERSIONS_MAX + 1);
    stage.life(2).actor.finish();
    expect(await reload).toMatchObject({ ok: true, to: { generation: LEAVING_VERSIONS_MAX + 2 } });
    const unloaded = stage.succession.perform('unload');
    for (const { actor } of stage.lives) actor.finish();
    await unloaded;
    expect(stage.lives.every(({ isDead }) => isDead)).toBe(true);
    expect(held.map(({ settled }) => settled)).toEqual(held.map(() => 1));
    expect(vi.getTimerCount()).toBe(0);
  });
});
