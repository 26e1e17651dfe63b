/** Restarts plugins again and again, in every way there is, and measures in between. */
import { setTimeout as sleep } from 'node:timers/promises';

import { PluginManager } from 'troupe';

import type { Tier } from '../support/chaos/cast.ts';
import { Random } from '../support/chaos/random.ts';
import { holdings } from '../support/holdings.ts';
import { ENDINGS, up, type Mortal } from './endings.ts';
import { measure, type Values } from './quantities.ts';

export interface SoakOptions {
  restarts: number;
  /** Ends earlier after that time (minutes). */
  minutes: number;
  seed: number;
  tiers: readonly Tier[];
  samples: number;
  progress(restarts: number): void;
}

export interface Sample extends Values {
  restarts: number;
  seconds: number;
}

export interface SoakRun {
  restarts: number;
  seconds: number;
  /** How often a life ended how. */
  endings: Record<string, number>;
  samples: Sample[];
}

const PLUGINS_OF_EACH_TIER = 3;
const LIMITS = { startTimeoutMs: 60_000, graceMs: 20 } as const;
const ALWAYS = { intensity: 1_000_000, backoff: { minMs: 0, maxMs: 0 } } as const;

/** @throws what a plugin answered that it should not have. */
export async function soak(options: SoakOptions): Promise<SoakRun> {
  const { restarts, minutes, seed, tiers, samples: wanted, progress } = options;
  await using manager = new PluginManager('soak', { logs: 'silent' });
  const mortals = tiers.flatMap(mortalsOf);
  for (const { spec } of mortals) await manager.register(spec);
  await manager.up();
  const lanes = mortals.map((mortal, i) => new Lane(manager, mortal, new Random(seed + i)));

  const startedAt = performance.now();
  const seconds = (): number => Math.round((performance.now() - startedAt) / 10) / 100;
  const samples: Sample[] = [];
  const count = { done: 0 };
  const isOver = (): boolean => count.done >= restarts || seconds() >= minutes * 60;
  while (!isOver()) {
    const until = Math.min(restarts, Math.ceil(((samples.length + 1) * restarts) / wanted));
    const live = async (lane: Lane): Promise<void> => {
      while (count.done < until) {
        count.done++;
        await lane.dieAndComeBack();
        progress(count.done);
      }
    };
    await Promise.all(lanes.map(live));
    await settle();
    samples.push({ restarts: count.done, seconds: seconds(), ...(await measure(manager)) });
  }
  const endings = Object.fromEntries(
    ENDINGS.map(({ name }) => [
      name,
      lanes.reduce((sum, { deaths }) => sum + (deaths.get(name) ?? 0), 0),
    ]),
  );
  return { restarts: count.done, seconds: seconds(), endings, samples };
}

/** One plugin, life after life. */
class Lane {
  /** How often it ended how. */
  readonly deaths = new Map<string, number>();
  readonly #manager: PluginManager;
  readonly #mortal: Mortal;
  readonly #random: Random;
  readonly #endings: typeof ENDINGS;

  constructor(manager: PluginManager, mortal: Mortal, random: Random) {
    this.#manager = manager;
    this.#mortal = mortal;
    this.#random = random;
    this.#endings = ENDINGS.filter(({ tier }) => tier === undefined || tier === mortal.tier);
  }

  /** Settles when the next life has answered. */
  async dieAndComeBack(): Promise<void> {
    const { id } = this.#mortal;
    const ending = this.#random.weighted(this.#endings);
    this.deaths.set(ending.name, (this.deaths.get(ending.name) ?? 0) + 1);
    await ending.end(this.#manager, this.#mortal);
    if (this.#manager.state(id) === 'unloaded') await up(this.#manager, id);
    const value = this.#random.int(2 ** 31);
    const answer = await this.#manager.execute(id, { do: 'echo', value });
    if (answer !== value) throw new Error(`${id} answered ${String(answer)} after: ${ending.name}`);
  }
}

function mortalsOf(tier: Tier): Mortal[] {
  return Array.from({ length: PLUGINS_OF_EACH_TIER }, (_, i) => {
    const id = `${tier}-${String(i + 1)}`;
    const entry = new URL('../fixtures/chaotic.mjs', import.meta.url);
    const spec = {
      id,
      type: 'tool',
      entry,
      isolation: tier,
      limits: LIMITS,
      restart: ALWAYS,
    } as const;
    return { id, tier, spec };
  });
}

const LOOK_AGAIN_MS = 20;
const SETTLE_LOOKS = 100;
/** What waits for its finalizer is garbage only afterwards. */
const COLLECTIONS = 4;

/** What ended last is gone (its files are closed, its process is waited for), and so is the garbage. */
async function settle(): Promise<void> {
  let before = '';
  for (let look = 0; look < SETTLE_LOOKS; look++) {
    const now = JSON.stringify(holdings());
    if (now === before) break;
    before = now;
    await sleep(LOOK_AGAIN_MS);
  }
  for (let i = 0; i < COLLECTIONS; i++) {
    globalThis.gc?.();
    await sleep(1);
  }
}
