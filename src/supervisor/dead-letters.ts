/**
 * Calls of a plugin that could not be delivered: the last of them are kept, to be looked at and
 * sent again. They outlive its lives and end with its registration.
 */
import { bodyOf, decode, keepable, type Payload } from '../protocol/codec.ts';
import type { PluginError } from '../protocol/errors.ts';
import { HEADER_BYTES } from '../protocol/frame.ts';
import { DEAD_LETTER_BYTES_MAX, DEAD_LETTERS_KEPT, type Limits } from '../protocol/limits.ts';
import type { DeadLetter, DeadLetterReason } from '../protocol/report.ts';
import { bytesOf, movesBuffers, type Call } from './call.ts';

export class DeadLetters {
  readonly #limits: Limits;
  #letters: DeadLetter[] = [];
  #count = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Since registration, those that are no longer kept included. */
  get count(): number {
    return this.#count;
  }

  /** The last ones, oldest first. */
  list(): DeadLetter[] {
    return [...this.#letters];
  }

  /** @param error what its caller was told. */
  add(call: Call, reason: DeadLetterReason, error: PluginError): DeadLetter {
    this.#count++;
    const letter = new Letter(call, { number: this.#count, reason, error, limits: this.#limits });
    this.#letters.push(letter);
    if (this.#letters.length > DEAD_LETTERS_KEPT) this.#letters.shift();
    return letter;
  }
}

/** The input may be secret: it is no property, so who prints or sends a letter does not show it. */
class Letter implements DeadLetter {
  readonly number: number;
  readonly callId: string;
  readonly pluginId: string;
  readonly reason: DeadLetterReason;
  readonly message: string;
  readonly deliveries: number;
  readonly generation: number;
  readonly at = Date.now();
  readonly bytes: number;
  readonly hasInput: boolean;
  readonly #input: Payload | undefined;
  readonly #limits: Limits;

  constructor(
    call: Call,
    about: { number: number; reason: DeadLetterReason; error: PluginError; limits: Limits },
  ) {
    const { payload } = call.request;
    this.number = about.number;
    this.callId = call.id;
    this.pluginId = call.owner.pluginId;
    this.reason = about.reason;
    this.message = about.error.message;
    this.deliveries = call.deliveries;
    this.generation = call.generation;
    this.bytes = bytesOf(payload) - HEADER_BYTES;
    // a buffer that was moved is empty by now, and one that was not is its caller's to reuse
    this.hasInput = this.bytes <= DEAD_LETTER_BYTES_MAX && !movesBuffers(payload);
    this.#input = this.hasInput ? keepable(payload) : undefined;
    this.#limits = about.limits;
  }

  input(): unknown {
    return this.#input && decode(bodyOf(this.#input), this.#limits);
  }
}
