/**
 * Vectors of texts. What is asked for at the same time goes to the source together; of a batch that
 * fails, halves are tried, so that one bad text costs itself alone.
 */
import { setImmediate } from 'node:timers/promises';

import { messageOf } from '../coded-error.ts';
import { MemoryError } from './memory-error.ts';

export type EmbedTexts = (texts: string[]) => Promise<unknown>;

export interface EmbedderOptions {
  batch: number;
  /** Length that vectors must have; `undefined`: that of the first. */
  dimensions: number | undefined;
}

interface Wanted {
  text: string;
  resolve: (vector: Float32Array) => void;
  reject: (error: unknown) => void;
}

/** Batches that are at the source at once. */
const BATCHES_MAX = 4;

export class Embedder {
  readonly #source: EmbedTexts;
  readonly #batch: number;
  readonly #waiting: Wanted[] = [];
  #dimensions: number | undefined;
  #underWay = 0;
  #isGathering = false;
  readonly counts = { texts: 0, calls: 0, failures: 0 };
  /** Why the last call failed; `undefined` when it did not. */
  trouble: string | undefined;

  constructor(source: EmbedTexts, { batch, dimensions }: EmbedderOptions) {
    this.#source = source;
    this.#batch = batch;
    this.#dimensions = dimensions;
  }

  get dimensions(): number | undefined {
    return this.#dimensions;
  }

  /** Vectors that are there already have that length. */
  expect(dimensions: number): void {
    this.#dimensions ??= dimensions;
  }

  /** `isUrgent`: before all that waits. Rejects with a `MemoryError`. */
  embed(text: string, { isUrgent = false }: { isUrgent?: boolean } = {}): Promise<Float32Array> {
    return new Promise((resolve, reject) => {
      const wanted = { text, resolve, reject };
      if (isUrgent) this.#waiting.unshift(wanted);
      else this.#waiting.push(wanted);
      void this.#gather();
    });
  }

  async #gather(): Promise<void> {
    if (this.#isGathering) return;
    this.#isGathering = true;
    // for company
    await setImmediate();
    this.#isGathering = false;
    while (this.#underWay < BATCHES_MAX && this.#waiting.length > 0) void this.#next();
  }

  async #next(): Promise<void> {
    this.#underWay++;
    await this.#send(this.#waiting.splice(0, this.#batch));
    this.#underWay--;
    if (this.#waiting.length > 0) void this.#gather();
  }

  /** Settles all of them. */
  async #send(batch: readonly Wanted[]): Promise<void> {
    const error = await this.#tried(batch);
    if (error === undefined) return;
    if (batch.length > 1 && mayBeOneOfThem(error)) await this.#sendHalves(batch);
    else refuse(batch, error);
  }

  /** Where both halves fail it is the source, and nothing more is tried. */
  async #sendHalves(batch: readonly Wanted[]): Promise<void> {
    const middle = batch.length >> 1;
    const [first, second] = [batch.slice(0, middle), batch.slice(middle)];
    const firstError = await this.#tried(first);
    const secondError = await this.#tried(second);
    if (firstError !== undefined && secondError !== undefined) refuse(batch, firstError);
    else if (firstError !== undefined) await this.#sendRest(first, firstError);
    else if (secondError !== undefined) await this.#sendRest(second, secondError);
  }

  async #sendRest(batch: readonly Wanted[], error: unknown): Promise<void> {
    if (batch.length > 1) await this.#sendHalves(batch);
    else refuse(batch, error);
  }

  /** What went wrong; without that they have their vectors. */
  async #tried(batch: readonly Wanted[]): Promise<unknown> {
    this.counts.calls++;
    try {
      const vectors = await this.#vectorsOf(batch.map(({ text }) => text));
      this.trouble = undefined;
      this.counts.texts += batch.length;
      batch.forEach(({ resolve }, at) => {
        resolve(vectors[at] as Float32Array);
      });
      return undefined;
    } catch (error) {
      this.trouble = messageOf(error);
      this.counts.failures++;
      return error;
    }
  }

  async #vectorsOf(texts: string[]): Promise<Float32Array[]> {
    const vectors = await this.#source(texts);
    if (!Array.isArray(vectors) || vectors.length !== texts.length) {
      const got = Array.isArray(vectors) ? String(vectors.length) : `no list but ${typeof vectors}`;
      throw invalid(
        `for ${String(texts.length)} texts the embedder gave ${got}, not one vector each`,
      );
    }
    const checked = vectors.map((vector) => vectorOf(vector, this.#dimensions));
    for (const vector of checked) {
      this.#dimensions ??= vector.length;
      if (vector.length !== this.#dimensions) throw wrongLength(vector.length, this.#dimensions);
    }
    return checked;
  }
}

function vectorOf(value: unknown, dimensions: number | undefined): Float32Array {
  const isList =
    Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array;
  if (!isList) throw invalid('the embedder gave a vector that is no list of numbers');
  if (value.length === 0) throw invalid('the embedder gave a vector without numbers');
  if (dimensions !== undefined && value.length !== dimensions) {
    throw wrongLength(value.length, dimensions);
  }
  const vector = Float32Array.from(value as ArrayLike<number>);
  if (vector.every((each) => Number.isFinite(each))) return vector;
  throw invalid('the embedder gave a vector with something that is no finite number');
}

function wrongLength(length: number, dimensions: number): MemoryError {
  const advice = 'set dimensions, and embedderModel so that what is there is embedded anew';
  return invalid(
    `the embedder gave a vector of ${String(length)} numbers, the others have ${String(dimensions)}; ${advice}`,
  );
}

function invalid(problem: string): MemoryError {
  return new MemoryError('MEMORY_VECTOR_INVALID', problem);
}

function mayBeOneOfThem(error: unknown): boolean {
  if (error instanceof MemoryError) return false;
  return !(error instanceof Error && 'code' in error) || error.code === 'CALL_FAILED';
}

function refuse(batch: readonly Wanted[], error: unknown): void {
  const refusal =
    error instanceof MemoryError
      ? error
      : new MemoryError('MEMORY_EMBEDDER_FAILED', `the embedder failed: ${messageOf(error)}`, {
          cause: error,
        });
  for (const { reject } of batch) reject(refusal);
}
