/**
 * A token bucket as a value: so many a minute, a minute's worth at once. Who takes more than there
 * is gets a place in the future, so waiters keep their order. Pure: the clock is an argument.
 */

const MINUTE_MS = 60_000;

export interface Bucket {
  readonly capacity: number;
  /** Below 0 where there are reservations for later. */
  readonly level: number;
  /** When it had that level (ms). */
  readonly at: number;
}

export function fullBucket(perMinute: number, now: number): Bucket {
  return { capacity: perMinute, level: perMinute, at: now };
}

/** Takes `amount`, at most all a bucket can hold; `waitMs` says how long until it may be used. */
export function reserve(
  bucket: Bucket,
  amount: number,
  now: number,
): { bucket: Bucket; waitMs: number } {
  const filled = filledTo(bucket, now);
  const level = filled.level - Math.min(amount, bucket.capacity);
  const waitMs = level >= 0 ? 0 : Math.ceil((-level * MINUTE_MS) / bucket.capacity);
  return { bucket: { ...filled, level }, waitMs };
}

/** Gives back what was not used; a negative amount is taken in addition. */
export function giveBack(bucket: Bucket, amount: number): Bucket {
  return { ...bucket, level: Math.min(bucket.capacity, bucket.level + amount) };
}

function filledTo({ capacity, level, at }: Bucket, now: number): Bucket {
  // a clock that is set back fills nothing
  const gained = (Math.max(0, now - at) * capacity) / MINUTE_MS;
  return { capacity, level: Math.min(capacity, level + gained), at: now };
}
