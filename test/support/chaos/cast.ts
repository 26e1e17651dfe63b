/** Who takes part in a chaos run: plugins that differ in all that changes how they die and come back. */
import type { PluginManager, PluginSpec } from 'troupe';

import type { Random } from './random.ts';

export type Tier = 'thread' | 'process';

export interface Member {
  id: string;
  index: number;
  tier: Tier;
  /** Others call it, so what it was asked for is not known from outside alone. */
  isCalled: boolean;
  memoryMb: number | undefined;
  spec: PluginSpec;
}

/** Short where a call is stuck on purpose, generous where a busy machine is just slow. */
const LIMITS = {
  startTimeoutMs: 30_000,
  hookTimeoutMs: 5_000,
  stopTimeoutMs: 5_000,
  graceMs: 60,
  payloadBytesMax: 250_000,
  logBytesPerSecMax: 20_000,
} as const;
const AT_ONCE = { minMs: 0, maxMs: 0 } as const;
const ALWAYS = { intensity: 100_000, backoff: AT_ONCE } as const;
/** Gives up at its second end. */
const HARDLY = { intensity: 1, periodMs: 60_000, backoff: AT_ONCE } as const;

const FOLLOWS_LOAD = { min: 1, max: 3, growAfterMs: 40, shrinkAfterMs: 80 } as const;

export class Cast {
  readonly members: readonly Member[];
  /** In a group of their own, as far as they are. */
  readonly banded: readonly Member[];

  constructor(random: Random, plugins: number, tiers: readonly Tier[]) {
    this.members = Array.from({ length: plugins }, (_, index) => drawMember(random, index, tiers));
    this.banded = this.members.slice(-2);
    // a child of a group has no replicas
    const [several, followsLoad] = this.members.slice(2, -2);
    if (several) several.spec.replicas = 3;
    if (followsLoad) followsLoad.spec.replicas = FOLLOWS_LOAD;
  }

  /** All are up, those of the group through the group. */
  async enter(manager: PluginManager): Promise<void> {
    const alone = this.members.filter((member) => !this.banded.includes(member));
    await Promise.all(alone.map(({ spec }) => manager.register(spec)));
    await manager.up();
    const options = { strategy: 'rest-for-one', intensity: ALWAYS.intensity } as const;
    await manager.group(
      'band',
      options,
      this.banded.map(({ spec }) => spec),
    );
  }

  /** One that others call, with a lower number; the lowest itself where there is none. */
  below({ index }: Member, random: Random): Member {
    const lower = this.members.filter((member) => member.isCalled && member.index < index);
    return lower.length === 0 ? this.first : random.pick(lower);
  }

  /** Another one that others call. */
  other(than: Member, random: Random): Member {
    return random.pick(this.members.filter((member) => member.isCalled && member !== than));
  }

  get first(): Member {
    const [first] = this.members;
    if (!first) throw new Error('a cast of nobody');
    return first;
  }
}

/** The tiers take turns, and so do all kinds of plugins; the rest is chance. */
function drawMember(random: Random, index: number, tiers: readonly Tier[]): Member {
  const tier = tiers[index % tiers.length] ?? 'thread';
  const id = `${tier}-${String(index)}`;
  const memoryMb = index === 1 ? 48 : undefined;
  const restart = {
    ...(random.chance(0.25) ? HARDLY : ALWAYS),
    type: random.weighted(TYPES).type,
  };
  const spec: PluginSpec = {
    id,
    type: 'tool',
    entry: new URL('../../fixtures/chaotic.mjs', import.meta.url),
    isolation: tier,
    concurrency: random.pick([1, 1, 4]),
    restart,
    limits: { ...LIMITS, ...(memoryMb === undefined ? {} : { memoryMb }) },
    mailbox: random.chance(0.25) ? { capacity: 40 } : {},
  };
  return { id, index, tier, isCalled: index % 2 === 0, memoryMb, spec };
}

const TYPES = [
  { type: 'permanent', weight: 8 },
  { type: 'transient', weight: 1 },
  { type: 'temporary', weight: 1 },
] as const;
