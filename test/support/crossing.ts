import { fromWireError, isWireError, toWireError } from '../../src/protocol/wire-error.ts';
import { roundTrip } from './codec.ts';

/** As over the bus: read, sent, revived. */
export function crossing(thrown: unknown): Error {
  const wire = roundTrip<unknown>(toWireError(thrown));
  if (!isWireError(wire)) throw new Error('no wire error arrived');
  return fromWireError(wire);
}
