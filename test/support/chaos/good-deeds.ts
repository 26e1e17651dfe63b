/** What plugins do well, for the program and for each other. */
import type { Member } from './cast.ts';
import { same, type Deed, type Draw, type Errand } from './errand.ts';
import { anyValue } from './values.ts';

const isAboveAnother = ({ index }: Member): boolean => index > 0;

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

export const GOOD_DEEDS: readonly Deed[] = [
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
