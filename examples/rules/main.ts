/**
 * Rules by file: a service scores orders, 200 calls a second, while somebody edits its rules. No
 * call fails, the counter goes on, a new rule shows from the next call; a broken edit is refused
 * with file, line and column, and the rules before it serve on.
 *
 * `node --import tsx examples/rules/main.ts [--seconds 2]`: how long between two edits.
 */
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { PluginManager, type KernelEvent } from 'troupe';

import { EDITS, type Edit } from './edits.ts';
import type { Order } from './scoring/rules.ts';
import type { Score } from './scoring/scoring.ts';
import { startTraffic, type Traffic } from './traffic.ts';

const CALLS_PER_SEC = 200;
const NEWS_MS = 10_000;
const LARGE: Order = { amount: 800, country: 'SE', isNewCustomer: false };
const HERE = path.dirname(fileURLToPath(import.meta.url));

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });
process.exitCode = await main(Number(values.seconds) * 1_000);

async function main(betweenMs: number): Promise<number> {
  // beside the original, so that what it imports is found; the original stays as it is
  const folder = await mkdtemp(path.join(HERE, '.edited-'));
  const manager = new PluginManager('shop');
  try {
    await cp(path.join(HERE, 'scoring'), folder, { recursive: true });
    await manager.register(folder);
    await manager.up();
    const traffic = startTraffic(manager.plugin<Order, Score>('scoring'), CALLS_PER_SEC);
    say(`scoring runs; ${String(CALLS_PER_SEC)} calls a second come in`);
    await pause(betweenMs);
    let isAsSaid = true;
    for (const edit of EDITS) {
      const isRefused = await apply(manager, path.join(folder, 'rules.ts'), edit, traffic);
      isAsSaid &&= isRefused === edit.isBroken;
      await pause(betweenMs);
    }
    await traffic.stop();
    return report(traffic) && isAsSaid ? 0 : 1;
  } finally {
    await manager.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns whether it was refused. */
async function apply(
  manager: PluginManager,
  file: string,
  { what, of, to }: Edit,
  traffic: Traffic,
): Promise<boolean> {
  say(`edit: ${what}`);
  const news = newsOf(manager);
  const savedAt = performance.now();
  const draft = `${file}.draft`;
  await writeFile(draft, (await readFile(file, 'utf8')).replace(of, to));
  await rename(draft, file);
  const event = await news;
  const afterMs = Math.round(performance.now() - savedAt);
  const state = `${String(traffic.asked)} calls, ${String(traffic.failed.length)} failed`;
  if (event.type === 'reload-failed') {
    say(`  refused after ${String(afterMs)} ms: ${event.error.message}`);
    say(`  the rules before it serve on; ${state}`);
    return true;
  }
  const probe = await manager.execute<Score>('scoring', LARGE);
  say(`  life ${String(event.generation)} serves after ${String(afterMs)} ms; ${state}`);
  say(`  the next call: ${describe(probe)}`);
  return false;
}

function describe({ points, reasons, scored }: Score): string {
  const why = reasons.length === 0 ? 'no rule applies' : reasons.join(', ');
  return `an order of 800 has ${String(points)} points (${why}), and is number ${String(scored)}`;
}

/** What becomes of the next reload. */
function newsOf(
  manager: PluginManager,
): Promise<KernelEvent<'reload-completed'> | KernelEvent<'reload-failed'>> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new Error('nobody noticed the edit'));
    }, NEWS_MS);
    const stops = (['reload-completed', 'reload-failed'] as const).map((type) =>
      manager.on(type, (event) => {
        clearTimeout(late);
        for (const stop of stops) stop();
        resolve(event);
      }),
    );
  });
}

/** Each call has its own number, none is missing: the counter went on from version to version. */
function report({ scores, failed }: Traffic): boolean {
  const probes = EDITS.filter(({ isBroken }) => !isBroken).length;
  const numbers = new Set(scores.map((score) => score?.scored));
  const last = Math.max(...scores.map((score) => score?.scored ?? 0));
  const isWhole = numbers.size === scores.length && last <= scores.length + probes;
  say(
    `${String(scores.length)} calls, ${String(failed.length)} failed; ` +
      `the counter went on over all versions: ${isWhole ? 'yes' : 'no'}`,
  );
  return failed.length === 0 && isWhole;
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
