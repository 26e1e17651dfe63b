import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { temporaryFolder } from '../support/files.ts';
import { fixture } from '../support/manager.ts';
import { runStorage } from '../support/storage.ts';

const BATCH_KEYS = 250;
const TIMEOUT_MS = 90_000;

interface Told {
  tried: Map<string, number>;
  stored: Map<string, number>;
  batches: string[];
  batched: string[];
  ended: number;
}

/** One process whose storage plugin's thread is ended so many times; `killedAfter` ends of it, it is killed itself. */
async function runProgram(
  folder: string,
  { run, ends, killedAfter = Infinity }: { run: number; ends: number; killedAfter?: number },
  told: Told,
): Promise<void> {
  const program = fileURLToPath(fixture('storage-kills-program.mjs'));
  const args = [folder, run, ends, BATCH_KEYS].map(String);
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const exited = once(child, 'exit');
  const before = told.ended;
  for await (const line of createInterface({ input: child.stdout })) {
    // the last line may be half of one
    if (!line.endsWith(']')) continue;
    const [kind, name = '', value = 0] = JSON.parse(line) as [string, string?, number?];
    if (kind === 'tried') told.tried.set(name, value);
    if (kind === 'stored') told.stored.set(name, value);
    if (kind === 'batch') told.batches.push(name);
    if (kind === 'batched') told.batched.push(name);
    if (kind === 'ended') told.ended++;
    if (told.ended - before >= killedAfter) child.kill('SIGKILL');
  }
  await exited;
}

async function expectNothingLost(folder: string, told: Told): Promise<void> {
  const storage = await runStorage({ path: folder });
  const found = new Map<string, unknown>();
  for await (const { key, value } of storage.entries()) found.set(key, value);

  const lost = [...told.stored].filter(([key, value]) => {
    const there = found.get(key);
    return typeof there !== 'number' || there < value || there > (told.tried.get(key) ?? 0);
  });
  expect(lost).toEqual([]);
  expect(told.stored.size).toBeGreaterThan(0);

  const keys = [...found.keys()];
  const sizes = new Map(
    told.batches.map((tag) => [tag, keys.filter((key) => key.startsWith(tag)).length]),
  );
  expect([...sizes].filter(([, size]) => size !== 0 && size !== BATCH_KEYS)).toEqual([]);
  expect(told.batched.filter((tag) => sizes.get(tag) !== BATCH_KEYS)).toEqual([]);
  // what is counted with each commit is what is there
  expect((await storage.stats())?.plugin['entries']).toBe(found.size);
}

test(
  'nothing acknowledged is lost, and no batch is there in part, over 200 ends of the thread in mid-write',
  async () => {
    const folder = path.join(await temporaryFolder(), 'data');
    const told: Told = { tried: new Map(), stored: new Map(), batches: [], batched: [], ended: 0 };
    // what an end may still cost a process is in docs/plugins/storage.md: then there is one process more
    for (let run = 0; run < 5 && told.ended < 200; run++) {
      await runProgram(folder, { run, ends: 200 - told.ended }, told);
    }
    expect(told.ended).toBeGreaterThanOrEqual(200);
    await expectNothingLost(folder, told);
  },
  TIMEOUT_MS,
);

test(
  'nothing acknowledged is lost where the whole process is killed in mid-write',
  async () => {
    const folder = path.join(await temporaryFolder(), 'data');
    const told: Told = { tried: new Map(), stored: new Map(), batches: [], batched: [], ended: 0 };
    for (let run = 0; run < 8; run++) {
      await runProgram(folder, { run, ends: 100, killedAfter: 1 }, told);
    }
    await expectNothingLost(folder, told);
  },
  TIMEOUT_MS,
);
