/**
 * Chaos: thousands of calls to many plugins, with every fault there is among them, and verbs in
 * between. All of it is drawn from a seed; only how the threads and processes interleave is not.
 * In the end every call has settled once, the counts agree, and nothing is left.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { PluginManager } from 'troupe';

import { eventually } from '../eventually.ts';
import { growthSince, holdings } from '../holdings.ts';
import { audit } from './audit.ts';
import { BadListener } from './bad-listener.ts';
import { Cast, type Tier } from './cast.ts';
import { drawErrand } from './deeds.ts';
import { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { Verbs } from './verbs.ts';
import { Witness } from './witness.ts';

export interface ChaosOptions {
  seed: number;
  plugins: number;
  /** Calls of the program; those of plugins to each other come on top. */
  calls: number;
  tiers: readonly Tier[];
}

export interface ChaosReport {
  calls: number;
  crashes: number;
  restarts: number;
  /** How often calls ended how, most frequent first; then verbs. */
  endings: Record<string, number>;
  problems: string[];
}

/** Open calls of the program for each plugin, before it waits for some to settle. */
const OPEN_CALLS_MAX = 20;
/** Without a call that settles, whoever is down or paused is brought back (ms). */
const STALL_MS = 200;
/** Steps between two such times. */
const MEND_STEPS = 10;
const QUIET_MS = 60_000;

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  await warmUp(options.tiers);
  const before = holdings();
  const random = new Random(options.seed);
  const cast = new Cast(random, options.plugins, options.tiers);
  const manager = new PluginManager('chaos', { logs: 'silent' });
  const world: World = {
    manager,
    cast,
    ledger: new Ledger(manager),
    verbs: new Verbs(manager),
    witness: new Witness(manager),
    listener: new BadListener(manager),
  };
  const problems = [];
  try {
    await cast.enter(manager);
    await play(world, random, options.calls);
    problems.push(...(await quieten(world, options.calls)));
    problems.push(...(await audit(world)));
  } finally {
    const { problems: unclean } = await manager.close();
    problems.push(...unclean.map(({ id, error }) => `close: ${id}: ${String(error)}`));
  }
  problems.push(...world.verbs.problems, ...world.ledger.problems, ...world.witness.problems);
  problems.push(...(await leftSince(before)));
  return report(world, problems);
}

/** What a run consists of. */
export interface World {
  manager: PluginManager;
  cast: Cast;
  ledger: Ledger;
  verbs: Verbs;
  witness: Witness;
  listener: BadListener;
}

async function play({ manager, cast, ledger, verbs }: World, random: Random, calls: number) {
  const mendAll = (step: number) => {
    for (const member of cast.members) void verbs.mend(member, step);
  };
  for (let step = 1; step <= calls; step++) {
    const target = random.pick(cast.members);
    ledger.make(step, target, drawErrand({ random, step, target, cast }));
    if (random.chance(0.02)) verbs.ask(random, step, random.pick(cast.members));
    if (random.chance(0.01)) void manager.statsAll();
    if (random.chance(0.01)) void manager.healthCheckAll();
    if (random.chance(0.3)) await nextTurn();
    if (step % MEND_STEPS === 0) mendAll(step);
    while (ledger.open > OPEN_CALLS_MAX * cast.members.length) {
      await ledger.nextSettled(STALL_MS);
      mendAll(step);
    }
  }
}

/** Everybody runs, and nothing is under way any more; or what still is. */
async function quieten({ manager, cast, ledger, verbs }: World, step: number): Promise<string[]> {
  const isQuiet = async (): Promise<void> => {
    await Promise.all(cast.members.map((member) => verbs.mend(member, step)));
    await verbs.settled();
    if (ledger.open > 0) throw new Error(`${String(ledger.open)} calls are open`);
    for (const [id, { calls, state, zombies, replicas = [] }] of await manager.statsAll()) {
      const busy = calls.inFlight + calls.queued + zombies;
      const isAtRest = replicas.every((replica) => replica.state !== 'restarting');
      if (busy === 0 && state === 'running' && isAtRest) continue;
      throw new Error(`${id} is ${state}: ${JSON.stringify({ ...calls, zombies })}`);
    }
  };
  try {
    await eventually(isQuiet, { withinMs: QUIET_MS });
    return [];
  } catch (error) {
    return [`it does not come to rest: ${String(error)}`];
  }
}

/** What Node makes once and keeps: its thread pool, the inspector for memory limits. */
async function warmUp(tiers: readonly Tier[]): Promise<void> {
  await using manager = new PluginManager('warm-up', { logs: 'silent' });
  const cast = new Cast(new Random(0), 4, tiers);
  await cast.enter(manager);
  await Promise.allSettled(
    cast.members.map(({ id }) => manager.execute(id, { do: 'exit', code: 1 })),
  );
}

async function leftSince(before: ReturnType<typeof holdings>): Promise<string[]> {
  try {
    await eventually(() => growthSince(before).length === 0);
    return [];
  } catch {
    return growthSince(before).map((growth) => `left behind: ${growth}`);
  }
}

function report({ ledger, verbs, witness }: World, problems: string[]): ChaosReport {
  const ended = byCount(ledger.endings);
  return {
    calls: ended.reduce((sum, [, count]) => sum + count, 0),
    crashes: witness.count('crashed'),
    restarts: witness.count('restarted'),
    endings: Object.fromEntries([...ended, ...byCount(verbs.endings)]),
    problems,
  };
}

function byCount(endings: ReadonlyMap<string, number>): [string, number][] {
  return [...endings].sort(([, a], [, b]) => b - a);
}
