/** Ids that grow: of two, the later one is the greater string, also when the clock goes back. */
import { randomBytes } from 'node:crypto';

const TIME_DIGITS = 9;
const COUNT_DIGITS = 4;
const COUNT_MAX = 36 ** COUNT_DIGITS;

export class Ids {
  #at = 0;
  #count = 0;

  /** Time and a count in base 36, and four bytes of chance, so that no two memories share one. */
  next(now: number): string {
    if (now > this.#at) this.#advance(now);
    else if (++this.#count === COUNT_MAX) this.#advance(this.#at + 1);
    const time = this.#at.toString(36).padStart(TIME_DIGITS, '0');
    const count = this.#count.toString(36).padStart(COUNT_DIGITS, '0');
    return `${time}${count}${randomBytes(4).toString('hex')}`;
  }

  /** Later ids are greater than this one, which an earlier life gave. */
  follow(id: string): void {
    const at = Number.parseInt(id.slice(0, TIME_DIGITS), 36);
    if (Number.isSafeInteger(at) && at >= this.#at) this.#advance(at + 1);
  }

  #advance(at: number): void {
    this.#at = at;
    this.#count = 0;
  }
}
