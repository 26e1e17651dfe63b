/** What does a call from one plugin to another cost, against one from the main thread? */
import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';

import { PLAIN, workerFile } from '../contenders/contender.ts';
import { managerOf } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import { inFlightSections } from '../support/load.ts';
import { inRounds, type Entrant, type Started } from '../support/rounds.ts';
import { callerOver, microsecondsPerCall, type Calls } from '../workers/calling.mjs';

const IN_FLIGHT = inFlightSections(1, 64);

const MAIN_TO_PLUGIN = 'troupe: main to plugin';
const PLUGIN_TO_PLUGIN = 'troupe: plugin to plugin';
const BARE_MAIN = 'bare: main to worker';

export const pluginToPlugin: Question = {
  name: 'plugin-to-plugin',
  title: 'What does a call from plugin to plugin cost?',
  about:
    'Small echo calls, the mean of each turn, seen by the caller. Between plugins they go through the kernel, so there are three threads to two cores where the machine has two.',
  unit: 'µs',
  better: 'lower',
  base: MAIN_TO_PLUGIN,
  scale: 'own',
  targets: [...IN_FLIGHT.keys()].map((group) =>
    ratioIn(group, { of: PLUGIN_TO_PLUGIN, against: MAIN_TO_PLUGIN, atMost: 1.6 }),
  ),
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 150] : [11, 600];
    const entrants = [
      open(MAIN_TO_PLUGIN, 'manager.execute', mainToPlugin),
      open(PLUGIN_TO_PLUGIN, 'ctx.call', pluginToPluginCalls),
      open(BARE_MAIN, 'one message a call', mainToWorker),
      open('bare: worker to worker, through main', 'main passes each message on', throughMain),
      open('bare: worker to worker, own channel', 'a MessageChannel between the two', ownChannel),
    ].map(({ contender, settings, start }): Entrant => ({
      contender,
      settings,
      start: () => measured(start, runMs),
    }));
    return inRounds(entrants, { rounds, sections: [...IN_FLIGHT.keys()], ...options });
  },
};

interface Caller {
  /** Makes so many calls: microseconds for each. */
  run(calls: Calls): Promise<number>;
  stop(): Promise<unknown>;
}

function open(contender: string, settings: string, start: () => Promise<Caller>) {
  return { contender, settings, start };
}

/** As many calls as fit into a turn; the warm-up says how many these are. */
async function measured(start: () => Promise<Caller>, runMs: number): Promise<Started> {
  const { run, stop } = await start();
  const counts = new Map<string, number>();
  return {
    async measure(section) {
      const inFlight = IN_FLIGHT.get(section) ?? 1;
      const count = counts.get(section) ?? (await fitting(run, inFlight, runMs));
      counts.set(section, count);
      return { [section]: await run({ count, inFlight }) };
    },
    stop,
  };
}

const COLD_CALLS = 2_000;

async function fitting(run: Caller['run'], inFlight: number, runMs: number): Promise<number> {
  await run({ count: COLD_CALLS, inFlight });
  const us = await run({ count: COLD_CALLS, inFlight });
  return Math.ceil((runMs * 1_000) / us);
}

async function mainToPlugin(): Promise<Caller> {
  const manager = await managerOf({ echo: 'work/echo' });
  return {
    run: (calls) => microsecondsPerCall((input) => manager.execute('echo', input), calls),
    stop: () => manager.close(),
  };
}

async function pluginToPluginCalls(): Promise<Caller> {
  const manager = await managerOf({ echo: 'work/echo', caller: 'plugin-caller' });
  return {
    run: (calls) => manager.execute<number>('caller', { ...calls, to: 'echo' }),
    stop: () => manager.close(),
  };
}

async function mainToWorker(): Promise<Caller> {
  const echo = new Worker(workerFile('bare-port'), PLAIN);
  const { port1, port2 } = new MessageChannel();
  echo.postMessage(port2, [port2]);
  const call = callerOver(port1);
  return { run: (calls) => microsecondsPerCall(call, calls), stop: () => endAll([echo]) };
}

async function throughMain(): Promise<Caller> {
  const [toCaller, toEcho] = [new MessageChannel(), new MessageChannel()];
  toCaller.port1.on('message', (message) => toEcho.port1.postMessage(message));
  toEcho.port1.on('message', (message) => toCaller.port1.postMessage(message));
  return workerCalls(toCaller.port2, toEcho.port2);
}

async function ownChannel(): Promise<Caller> {
  const { port1, port2 } = new MessageChannel();
  return workerCalls(port1, port2);
}

type Port = MessageChannel['port1'];

function workerCalls(callerPort: Port, echoPort: Port): Caller {
  const [caller, echo] = ['bare-caller', 'bare-port'].map(
    (file) => new Worker(workerFile(file), PLAIN),
  ) as [Worker, Worker];
  echo.postMessage(echoPort, [echoPort]);
  const ask = async (input: object, transfer: Port[] = []): Promise<number> => {
    caller.postMessage({ number: 1, input }, transfer);
    const [{ output }] = (await once(caller, 'message')) as [{ output: number }];
    return output;
  };
  let isFirst = true;
  return {
    run(calls) {
      const given = isFirst ? { ...calls, port: callerPort } : calls;
      const transfer = isFirst ? [callerPort] : [];
      isFirst = false;
      return ask(given, transfer);
    },
    stop: () => endAll([caller, echo]),
  };
}

function endAll(workers: readonly Worker[]): Promise<unknown> {
  return Promise.all(workers.map((worker) => worker.terminate()));
}
