import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { KIND } from '../../src/protocol/frame.ts';
import { LOAD_LOOK_MS, SPREAD_MS } from '../../src/protocol/limits.ts';
import { replicated } from '../support/fake-life.ts';
import { turns } from '../support/turns.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a set that follows its load', () => {
  const RANGE = { min: 1, max: 3, growAfterMs: 500, shrinkAfterMs: 1_000 };

  it('grows when calls wait, shares them out, and shrinks when it has been idle', async () => {
    const stage = replicated(RANGE);
    const { set, lives } = stage;
    await stage.up();
    const { ask } = stage;
    const asked = Array.from({ length: 6 }, (_, value) => ask(value));
    await turns();
    lives[0]?.actor.begin();
    await vi.advanceTimersByTimeAsync(500 + LOAD_LOOK_MS);
    expect([stage.toldOfAll().at(-1), lives.length]).toEqual(['scaled 1 → 2', 2]);
    expect(lives.map((life) => life.waiting.length)[1]).toBe(3);
    await vi.advanceTimersByTimeAsync(500 + LOAD_LOOK_MS);
    expect([stage.toldOfAll().at(-1), lives.length]).toEqual(['scaled 2 → 3', 3]);
    for (const actor of lives.map((life) => life.actor)) {
      for (const visit of actor.running) actor.reply(visit, KIND.result, visit.value);
    }
    stage.answerAll();
    await turns();
    await vi.advanceTimersByTimeAsync(SPREAD_MS);
    stage.answerAll();
    await turns();
    expect(asked.map(({ heard }) => heard.length)).toEqual(asked.map(() => 1));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(stage.toldOfAll().slice(-2)).toEqual(['scaled 3 → 2', 'scaled 2 → 1']);
    expect(lives.map(({ isDead }) => isDead)).toEqual([false, true, true]);
    // what they counted stays counted
    expect((await set.stats()).calls).toMatchObject({ started: 6, succeeded: 6 });
    expect((await set.stats()).replicas).toHaveLength(1);
    await set.perform('unload');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells of one that does not come up, and tries no other for a while', async () => {
    const stage = replicated(RANGE);
    const { told, lives, script, events } = stage;
    await stage.up();
    const { ask } = stage;
    for (let value = 0; value < 6; value++) ask(value);
    await turns();
    script.answers.init = new Error('there is no room');
    await vi.advanceTimersByTimeAsync(500 + 2 * LOAD_LOOK_MS);
    expect(
      told()
        .filter((line) => !line.includes('→'))
        .slice(-1),
    ).toEqual(['1: warning']);
    expect(events.find(({ event }) => event.type === 'warning')?.event).toMatchObject({
      message: expect.stringContaining('there is no room') as string,
    });
    expect(lives.map(({ isDead }) => isDead)).toEqual([false, true]);
    script.answers = {};
    await vi.advanceTimersByTimeAsync(500);
    expect(lives).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_500);
    // the same replica again, in a new life
    expect(lives.map(({ replica }) => replica).slice(0, 3)).toEqual([0, 1, 1]);
    expect(told()).toContain('scaled 1 → 2');
  });

  it('makes one that joins of what the others are made of, until a restart looks anew', async () => {
    const stage = replicated(RANGE);
    const { set, lives, script, ask } = stage;
    await stage.up();
    script.file = 'file:///edited.mjs';
    for (let value = 0; value < 6; value++) ask(value);
    await turns();
    lives[0]?.actor.begin();
    await vi.advanceTimersByTimeAsync(500 + LOAD_LOOK_MS);
    expect(lives.map(({ entryUrl }) => entryUrl)).toEqual(['file:///p.mjs', 'file:///p.mjs']);
    stage.answerAll();
    await set.perform('restart');
    const [, , ...anew] = lives.map(({ entryUrl }) => entryUrl);
    expect(anew).toEqual(['file:///edited.mjs', 'file:///edited.mjs']);
  });

  it('calls off who is on the way when it is stopped, and nothing is left', async () => {
    const stage = replicated(RANGE);
    const { set, told, lives, script } = stage;
    await stage.up();
    const { ask } = stage;
    for (let value = 0; value < 6; value++) ask(value);
    await turns();
    lives[0]?.actor.begin();
    script.answers.init = 'hangs';
    await vi.advanceTimersByTimeAsync(500 + LOAD_LOOK_MS);
    expect(lives).toHaveLength(2);
    script.answers = {};
    const unloaded = set.perform('unload');
    await vi.advanceTimersByTimeAsync(20_000);
    await unloaded;
    expect(set.state).toBe('unloaded');
    expect(lives.map(({ isDead }) => isDead)).toEqual([true, true]);
    expect(told().filter((line) => line.startsWith('scaled'))).toEqual([]);
    set.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
