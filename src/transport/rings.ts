/** The shared memory of one life's carrier, and the two ends of it. */
import type { MessagePort } from 'node:worker_threads';

import { RING_BYTES } from '../protocol/limits.ts';
import { PollingCores, type PollingSeat, type SharedSeat } from './polling-cores.ts';
import { RingPort } from './ring-port.ts';
import { isRingSized, ringMemory, seatOf } from './ring.ts';

export interface RingMemory {
  toActor: SharedArrayBuffer;
  fromActor: SharedArrayBuffer;
}

/** How many threads of the process look at rings, and may. */
export interface Looking {
  looking: SharedArrayBuffer;
  cores: number;
}

export type Rings = RingMemory & Looking;

interface End {
  port: MessagePort;
  onBroken?: () => void;
}

export function createRings({ looking, cores }: Looking): Rings {
  return { toActor: ringMemory(RING_BYTES), fromActor: ringMemory(RING_BYTES), looking, cores };
}

export function isRingMemory(value: unknown): value is RingMemory {
  const isRing = (name: string): boolean => {
    const memory: unknown = Reflect.get(value as object, name);
    return memory instanceof SharedArrayBuffer && isRingSized(memory, RING_BYTES);
  };
  return typeof value === 'object' && value !== null && isRing('toActor') && isRing('fromActor');
}

/** @param seat the supervising thread's, for all its rings. */
export function supervisorEnd(rings: Rings, seat: SharedSeat, end: End): RingPort {
  const { toActor, fromActor } = rings;
  const otherSeat = actorSeat(rings);
  return new RingPort({
    ...end,
    outward: toActor,
    inward: fromActor,
    seat: seat.part(),
    otherSeat,
  });
}

export function actorEnd(rings: Rings, end: End): RingPort {
  const { toActor, fromActor } = rings;
  return new RingPort({ ...end, outward: fromActor, inward: toActor, seat: actorSeat(rings) });
}

/** Its word lies in the ring, where both sides find it. */
function actorSeat({ toActor, looking, cores }: Rings): PollingSeat {
  return new PollingCores(cores, looking).seat(seatOf(toActor));
}
