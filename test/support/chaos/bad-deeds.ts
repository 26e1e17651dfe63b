/** What goes wrong in plugins, and what callers do wrong. */
import type { Member, Tier } from './cast.ts';
import { same, type Deed, type Draw } from './errand.ts';

const of = (tier: Tier) => (target: Member) => target.tier === tier;
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

export const BAD_DEEDS: readonly Deed[] = [
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
