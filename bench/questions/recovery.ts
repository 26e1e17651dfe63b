/** How long does it take to start a plugin, and to come back from a crash, beside a bare worker? */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

import { PluginManager } from 'troupe';

import { workerFile } from '../contenders/contender.ts';
import type { Question, QuestionOptions } from '../question.ts';
import { spreadOf, type Spread } from '../support/statistics.ts';

export interface RecoveryRow {
  what: string;
  tier: 'thread' | 'process';
  /** Until the first answer (ms). */
  tookMs: Spread;
  /** To the bare one of its tier, medians of the same run. */
  ratioToBare: number;
}

/** Each does the thing once and gives how long that took (ms). */
type Act = (life: number) => Promise<number>;

export const recovery: Question<RecoveryRow> = {
  name: 'recovery',
  title: 'How long until the first answer: a bare worker, a plugin, a plugin that crashed?',
  ask,
  table: (rows) => ({
    head: ['tier', 'what', 'ms', 'min – max', '× bare'],
    rows: rows.map(({ tier, what, tookMs, ratioToBare }) => [
      tier,
      what,
      tookMs.median.toFixed(1),
      `${tookMs.min.toFixed(1)} – ${tookMs.max.toFixed(1)}`,
      ratioToBare.toFixed(2),
    ]),
  }),
  answer: (rows) =>
    rows
      .filter(({ what }) => what === CRASH)
      .map(
        ({ tier, ratioToBare }) =>
          `${tier}: from the call that crashes it to the next answer takes ${ratioToBare.toFixed(2)} × the boot of a bare one`,
      ),
};

const CRASH = 'plugin: crash to the next answer';

/** They take turns, so that the machine's mood is the same for each. */
async function ask({ quick, progress }: QuestionOptions): Promise<RecoveryRow[]> {
  const runs = quick ? 5 : 40;
  const manager = new PluginManager('bench', { logs: 'silent' });
  const acts: { what: string; tier: RecoveryRow['tier']; act: Act; took: number[] }[] = [
    { what: 'bare worker: created to answer', tier: 'thread', act: bareWorker, took: [] },
    { what: 'plugin: loaded to answer', tier: 'thread', act: start(manager, 'thread'), took: [] },
    { what: CRASH, tier: 'thread', act: await crash(manager, 'thread'), took: [] },
    { what: 'bare process: forked to answer', tier: 'process', act: bareProcess, took: [] },
    { what: 'plugin: loaded to answer', tier: 'process', act: start(manager, 'process'), took: [] },
    { what: CRASH, tier: 'process', act: await crash(manager, 'process'), took: [] },
  ];
  for (let run = 0; run <= runs; run++) {
    for (const { what, tier, act, took } of acts) {
      progress(`run ${String(run)} of ${String(runs)}: ${tier}, ${what}`);
      const ms = await act(run);
      // the first run only warms up
      if (run > 0) took.push(ms);
    }
  }
  await manager.close();
  return acts.map(({ what, tier, took }) => {
    const bare = acts.find((act) => act.tier === tier)?.took ?? [];
    const tookMs = spreadOf(took);
    return { what, tier, tookMs, ratioToBare: tookMs.median / spreadOf(bare).median };
  });
}

/** Without the loader that this bench itself is run with: a thread would import it, too. */
const BARE = { execArgv: [], env: {} };

async function bareWorker(): Promise<number> {
  const since = performance.now();
  const worker = new Worker(workerFile('bare-echo'), BARE);
  worker.postMessage({ number: 1, input: 1 });
  await once(worker, 'message');
  const took = performance.now() - since;
  await worker.terminate();
  return took;
}

async function bareProcess(): Promise<number> {
  const since = performance.now();
  const child = fork(fileURLToPath(workerFile('bare-process')), BARE);
  child.send(1);
  await once(child, 'message');
  const took = performance.now() - since;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return took;
}

function start(manager: PluginManager, isolation: RecoveryRow['tier']): Act {
  return async (life) => {
    const id = `${isolation}-${String(life)}`;
    const plugin = await manager.register({
      id,
      type: 'custom',
      isolation,
      entry: workerFile('echo'),
    });
    const since = performance.now();
    await plugin.load();
    await plugin.init();
    await plugin.start();
    await plugin.execute(1);
    const took = performance.now() - since;
    await plugin.unregister();
    return took;
  };
}

async function crash(manager: PluginManager, isolation: RecoveryRow['tier']): Promise<Act> {
  const plugin = await manager.register({
    id: `mortal-${isolation}`,
    type: 'custom',
    isolation,
    entry: workerFile('mortal'),
    restart: { intensity: 1_000, backoff: { minMs: 0, maxMs: 0 } },
  });
  await plugin.load();
  await plugin.init();
  await plugin.start();
  return async () => {
    const since = performance.now();
    const died = plugin.execute(isolation === 'thread' ? 'exit' : 'kill').catch(() => undefined);
    await plugin.execute('the next one');
    const took = performance.now() - since;
    await died;
    return took;
  };
}
