/** What plugins are asked for in a chaos run: how often, and how each may end. */
import { isDeepStrictEqual } from 'node:util';

import type { ExecuteOptions } from 'troupe';

import type { Cast, Member, Tier } from './cast.ts';
import type { Random } from './random.ts';
import { anyValue } from './values.ts';

/** `ok`, or the code of the error. */
export type Ending = string;

/** One call, drawn. */
export interface Errand {
  deed: string;
  input: unknown;
  options: ExecuteOptions;
  /** How it may end, beside what may happen to any call. */
  ends: readonly Ending[];
  /** It is refused before it is accepted, and ends in no other way. */
  refused: boolean;
  /** Its caller gives up then (ms); 0: before it is made. */
  abortAfterMs: number | undefined;
  /** Read as a stream of 0, 1, … : so many chunks, and where the reader breaks off. */
  read: { chunks: number; breakAfter: number } | undefined;
  /** Whether a result is the right one. */
  isRight(result: unknown): boolean;
  /** A key of the shared state that counts its runs. */
  countedIn: string | undefined;
}

/** Nobody should have to wait that long: a call that ends so has hung. */
export const PATIENCE_MS = 60_000;

interface Draw {
  random: Random;
  step: number;
  target: Member;
  cast: Cast;
}

interface Deed {
  name: string;
  weight: number;
  /** Where it may be asked for; everywhere, where nothing is said. */
  fits?(target: Member): boolean;
  draw(from: Draw): Partial<Errand>;
}

export function drawErrand(from: Draw): Errand {
  const { name, draw } = from.random.weighted(
    DEEDS.filter(({ fits }) => fits?.(from.target) ?? true),
  );
  const errand = {
    deed: name,
    input: { do: name },
    ends: ['ok'],
    refused: false,
    abortAfterMs: undefined,
    read: undefined,
    isRight: () => true,
    countedIn: undefined,
    ...draw(from),
  };
  return { ...errand, options: { timeoutMs: PATIENCE_MS, ...errand.options } };
}

const isAboveAnother = ({ index }: Member): boolean => index > 0;
const of = (tier: Tier) => (target: Member) => target.tier === tier;
const same = (value: unknown) => (result: unknown) => isDeepStrictEqual(result, value);
const odd = ({ random }: Draw): string => random.pick(ODD);
const ODD = ['undefined', 'null', 'symbol', 'function', 'proxy', 'getter', 'cycle', 'error'];
const UNSENDABLE = ['function', 'symbol', 'promise', 'getter', 'weak'];

/** What takes no end by itself: its caller's deadline or abort ends it. */
const endless = (name: string, weight: number, fits?: Deed['fits']): Deed => ({
  name,
  weight,
  ...(fits ? { fits } : {}),
  draw: ({ random }) =>
    random.chance(0.5)
      ? { ends: ['CALL_TIMEOUT'], options: { timeoutMs: 20 + random.int(60) } }
      : { ends: ['CALL_ABORTED'], abortAfterMs: 1 + random.int(60) },
});

/** What kills its plugin. */
const deadly = (
  name: string,
  weight: number,
  input: (from: Draw) => object = () => ({}),
  fits?: Deed['fits'],
): Deed => ({
  name,
  weight,
  ...(fits ? { fits } : {}),
  draw: (from) => ({ input: { do: name, ...input(from) }, ends: ['PLUGIN_CRASHED'] }),
});

const streamed = (name: string, weight: number): Deed => ({
  name,
  weight,
  draw: ({ random }) => {
    const chunks = random.int(200);
    const failAfter = random.chance(0.2) ? random.int(chunks) : chunks;
    const dieAfter = random.chance(0.1) ? random.int(chunks) : chunks;
    const breakAfter = random.chance(0.2) ? random.int(chunks) + 1 : Infinity;
    const whole = failAfter >= chunks && dieAfter >= chunks;
    return {
      input: { do: name, chunks, failAfter, dieAfter },
      ends: whole ? ['ok'] : ['CALL_FAILED', 'PLUGIN_CRASHED'],
      read: { chunks, breakAfter },
    };
  },
});

const DEEDS: readonly Deed[] = [
  // --- well-behaved ---
  {
    name: 'echo',
    weight: 300,
    draw: ({ random, step }) => {
      const value = { step, value: anyValue(random) };
      return { input: { do: 'echo', value }, isRight: same(value) };
    },
  },
  {
    name: 'echo later',
    weight: 150,
    draw: ({ random, step }) => ({
      input: { do: 'echo later', value: step, ms: random.int(4) },
      options: { idempotent: random.chance(0.3) },
      isRight: same(step),
    }),
  },
  {
    name: 'echo moved',
    weight: 30,
    draw: ({ random }) => {
      const value = Uint8Array.from({ length: random.int(2_000) }, () => random.int(256));
      const isRight = same(value.slice());
      return {
        input: { do: 'echo moved', value },
        options: { transfer: [value.buffer] },
        isRight,
      };
    },
  },
  {
    name: 'compute',
    weight: 60,
    draw: () => ({ input: { do: 'compute', n: 15 }, isRight: same(610) }),
  },
  { name: 'progress', weight: 30, draw: () => ({}) },
  {
    name: 'leave a mark',
    weight: 60,
    draw: ({ random, step }) => {
      const key = `mark-${String(step)}`;
      return {
        input: { do: 'leave a mark', key },
        options: { idempotent: random.chance(0.3) },
        countedIn: key,
      };
    },
  },
  { name: 'emit', weight: 40, draw: ({ step }) => ({ input: { do: 'emit', number: step } }) },
  streamed('stream', 50),
  streamed('stream later', 40),
  {
    name: 'lock',
    weight: 50,
    draw: ({ random, step }) => {
      const dieInside = random.chance(0.1);
      const name = `room-${String(random.int(2))}`;
      return {
        input: { do: 'lock', name, me: step, dieInside },
        ends: dieInside ? ['PLUGIN_CRASHED'] : ['ok'],
        isRight: same('alone'),
      };
    },
  },
  // --- from one to another ---
  {
    name: 'call',
    weight: 60,
    fits: isAboveAnother,
    draw: (from) => chain(from, { do: 'echo later', value: from.step, ms: 1 }, same(from.step)),
  },
  {
    name: 'call of what dies',
    weight: 8,
    fits: isAboveAnother,
    draw: (from) => chain(from, { do: 'exit', code: 1 }, () => false),
  },
  {
    name: 'call of what hangs',
    weight: 4,
    fits: isAboveAnother,
    draw: (from) => chain(from, { do: 'spin' }, () => false),
  },
  {
    name: 'call and read',
    weight: 20,
    draw: ({ random, target, cast }) => ({
      input: {
        do: 'call and read',
        to: cast.below(target, random).id,
        input: { do: 'stream later', chunks: 70 },
        timeoutMs: HOP_MS,
      },
      ends: ['ok', 'CALL_FAILED'],
      isRight: same(Array.from({ length: 70 }, (_, i) => i)),
    }),
    fits: isAboveAnother,
  },
  {
    name: 'call in a circle',
    weight: 8,
    draw: ({ random, step, target, cast }) => {
      const back = {
        do: 'call',
        to: target.id,
        input: { do: 'echo', value: step },
        timeoutMs: 100,
      };
      const to = cast.other(target, random).id;
      return {
        input: { do: 'call', to, input: back, timeoutMs: 300 },
        ends: ['ok', 'CALL_FAILED'],
        isRight: same(step),
      };
    },
    fits: ({ isCalled }) => isCalled,
  },
  // --- rude ---
  {
    name: 'throw',
    weight: 30,
    draw: (from) => ({
      input: { do: from.random.pick(['throw', 'reject']), what: odd(from) },
      ends: ['CALL_FAILED'],
    }),
  },
  {
    name: 'return',
    weight: 10,
    draw: ({ random }) => ({
      input: { do: 'return', what: random.pick(UNSENDABLE) },
      ends: ['PAYLOAD_INVALID'],
    }),
  },
  {
    name: 'return too much',
    weight: 10,
    draw: () => ({ input: { do: 'return too much', bytes: 300_000 }, ends: ['PAYLOAD_TOO_LARGE'] }),
  },
  { name: 'recurse', weight: 10, draw: () => ({ ends: ['CALL_FAILED'] }) },
  { name: 'flood', weight: 5, draw: () => ({ input: { do: 'flood', lines: 100 } }) },
  // --- bad callers ---
  {
    name: 'an input that cannot be sent',
    weight: 10,
    draw: () => ({ input: { do: () => undefined }, ends: ['PAYLOAD_INVALID'], refused: true }),
  },
  {
    name: 'too large an input',
    weight: 10,
    draw: () => ({
      input: { do: 'echo', value: 'x'.repeat(300_000) },
      ends: ['PAYLOAD_TOO_LARGE'],
      refused: true,
    }),
  },
  {
    name: 'an abort before the call',
    weight: 10,
    draw: () => ({ ends: ['CALL_ABORTED', 'NOT_RUNNING'], abortAfterMs: 0, refused: true }),
  },
  {
    name: 'an abort at any time',
    weight: 40,
    draw: ({ random, step }) => ({
      input: { do: 'echo later', value: step, ms: random.int(4) },
      ends: ['ok', 'CALL_ABORTED'],
      abortAfterMs: 1 + random.int(5),
      isRight: same(step),
    }),
  },
  {
    name: 'a deadline at any time',
    weight: 40,
    draw: ({ random, step }) => ({
      input: { do: 'echo later', value: step, ms: random.int(4) },
      ends: ['ok', 'CALL_TIMEOUT'],
      options: { timeoutMs: 1 + random.int(5) },
      isRight: same(step),
    }),
  },
  endless('until aborted', 15),
  endless('count for ever', 15),
  // --- deaf ---
  endless('never', 3),
  endless('spin', 3),
  endless('wait for ever', 2),
  {
    name: 'block',
    weight: 1,
    draw: () => ({
      input: { do: 'block', seconds: 0.6 },
      ends: ['CALL_TIMEOUT'],
      options: { timeoutMs: 30 },
    }),
  },
  // --- deadly ---
  deadly('exit', 8, ({ random }) => ({ code: random.pick([0, 1, 3]) })),
  {
    name: 'answer and exit',
    weight: 5,
    draw: ({ step }) => ({ input: { do: 'answer and exit', value: step }, isRight: same(step) }),
  },
  {
    name: 'leave',
    weight: 4,
    draw: ({ random }) => ({
      input: { do: 'leave', how: random.pick(['normal', 'shutdown', 'error']) },
      ends: [],
    }),
  },
  deadly('throw later', 5, (from) => ({ what: odd(from) })),
  deadly('reject later', 5, (from) => ({ what: odd(from) })),
  deadly('recurse later', 3),
  deadly('throw in a listener', 3),
  deadly('swallow', 3),
  deadly('throw past the runtime', 2),
  {
    name: 'die until',
    weight: 8,
    draw: ({ random, step }) => {
      const key = `deaths-${String(step)}`;
      const deaths = random.pick([1, 9]);
      return {
        input: { do: 'die until', key, deaths },
        options: { idempotent: true },
        ends: deaths === 1 ? ['ok'] : ['PLUGIN_CRASHED'],
        isRight: same('survived'),
        countedIn: key,
      };
    },
  },
  deadly('hoard', 4, undefined, ({ memoryMb }) => memoryMb !== undefined),
  deadly('kill', 8, undefined, of('process')),
  deadly('abort', 2, undefined, of('process')),
  deadly('write junk', 2, undefined, of('process')),
  deadly('close the bus', 2, undefined, of('process')),
];

/** One hop of a chain waits that long (ms). */
const HOP_MS = 2_000;

/** Through one or two others, down the cast: two chains can't wait for each other. */
function chain(
  { random, target, cast }: Draw,
  input: object,
  isRight: (result: unknown) => boolean,
): Partial<Errand> {
  const first = cast.below(target, random);
  const second = random.chance(0.4) ? cast.below(first, random) : first;
  const last = { do: 'call', to: second.id, input, timeoutMs: 100 };
  return {
    input: first === second ? last : { do: 'call', to: first.id, input: last, timeoutMs: HOP_MS },
    ends: ['ok', 'CALL_FAILED'],
    isRight,
  };
}
