/** What does a call cost with 100 B, 10 KB and 1 MB, copied and moved, there and back? */
import { CONTENDERS } from '../contenders/all.ts';
import { BARE } from '../contenders/bare.ts';
import type { Running } from '../contenders/contender.ts';
import { TROUPE } from '../contenders/troupe.ts';
import type { Question } from '../question.ts';
import { ratioIn } from '../support/comparison.ts';
import { latenciesUs, wrongAnswer } from '../support/load.ts';
import { entrant, inRounds } from '../support/rounds.ts';
import { quantile } from '../support/statistics.ts';

interface Payload {
  bytes: number;
  moves: boolean;
}

const BYTES = new Map<string, Payload>(
  [false, true].flatMap((moves) =>
    [['100 B', 100] as const, ['10 KB', 10_000] as const, ['1 MB', 1_000_000] as const].map(
      ([size, bytes]) => [`${size}, ${moves ? 'transferred' : 'copied'}`, { bytes, moves }],
    ),
  ),
);
const RECORDS = '200 records';
const RECORD_COUNT = 200;

export const payloads: Question = {
  name: 'payloads',
  title: 'What does a call cost with much to carry?',
  about:
    'Bytes go to one thread and come back, one call at a time: copied both ways, or transferred both ways (a peer that cannot transfer a result copies it). And an array of 200 small records, about 10 KB, which has to be taken apart and put together. The median call of each round.',
  unit: 'µs',
  better: 'lower',
  base: BARE,
  scale: 'own',
  targets: [
    ratioIn('1 MB, transferred', { of: TROUPE, against: BARE, atMost: 1.1 }),
    ratioIn('1 MB, copied', { of: TROUPE, against: BARE, atMost: 1 }),
  ],
  ask: ({ quick, ...options }) => {
    const [rounds, runMs] = quick ? [3, 50] : [11, 150];
    const entrants = CONTENDERS.map((contender) =>
      entrant(contender, async () => {
        const copying = await contender.start({ work: 'echo', threads: 1 });
        const moving = await contender.start({ work: 'move', threads: 1 });
        return {
          async measure(section: string) {
            const payload = BYTES.get(section);
            const p50 = payload
              ? await bytesThereAndBack(payload.moves ? moving : copying, payload, runMs)
              : await recordsThereAndBack(copying, runMs);
            return { [section]: p50 };
          },
          stop: () => Promise.all([copying.stop(), moving.stop()]),
        };
      }),
    );
    return inRounds(entrants, { rounds, sections: [...BYTES.keys(), RECORDS], ...options });
  },
};

/** What came back goes out again, so moving bytes costs no new memory. */
async function bytesThereAndBack(
  { call }: Running,
  payload: Payload,
  runMs: number,
): Promise<number> {
  let bytes = new Uint8Array(payload.bytes);
  const tookUs = await latenciesUs(async (at) => {
    const mark = at % 256;
    bytes[bytes.length - 1] = mark;
    const output = await call(bytes, 0, payload.moves ? [bytes.buffer] : undefined);
    if (!(output instanceof Uint8Array)) throw wrongAnswer(output);
    if (output.length !== payload.bytes || output.at(-1) !== mark) throw wrongAnswer(output.length);
    if (payload.moves) bytes = output as Uint8Array<ArrayBuffer>;
  }, runMs);
  return quantile(tookUs, 0.5);
}

interface Item {
  id: number;
  name: string;
  price: number;
  tags: string[];
}

async function recordsThereAndBack({ call }: Running, runMs: number): Promise<number> {
  const records = Array.from({ length: RECORD_COUNT }, (_, id): Item => ({
    id,
    name: `item ${String(id)}`,
    price: id * 1.25,
    tags: ['new', 'red'],
  }));
  const tookUs = await latenciesUs(async () => {
    const output = (await call(records, 0)) as Item[];
    if (output.length !== RECORD_COUNT || output.at(-1)?.id !== RECORD_COUNT - 1) {
      throw wrongAnswer(output.length);
    }
  }, runMs);
  return quantile(tookUs, 0.5);
}
