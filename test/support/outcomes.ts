/** What became of promises, said so that a test can assert all of it. */
import { PluginError } from 'troupe';
import { expect } from 'vitest';

import { soon } from './soon.ts';

/** The PluginError a promise rejects with; anything else fails the test. */
export async function failureOf(promise: Promise<unknown>): Promise<PluginError> {
  const error: unknown = await soon(promise).then(
    (value: unknown) => {
      throw new Error(`resolved with ${JSON.stringify(value)} where it should reject`);
    },
    (reason: unknown) => reason,
  );
  if (error instanceof PluginError) return error;
  throw new Error(`no PluginError but ${String(error)}`, { cause: error });
}

/** The same for calls that throw at once or reject: the caller need not know which. */
export function failureFrom(work: () => unknown): Promise<PluginError> {
  return failureOf((async () => work())());
}

/** A promise whose rejection a test looks at only after other things have happened. */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** The cause of a PluginError, as an Error with the code it was thrown with. */
export function causeOf(error: PluginError): Error & { code?: unknown } {
  if (error.cause instanceof Error) return error.cause;
  throw new Error(`the cause is no Error but ${String(error.cause)}`);
}

/** What a plugin itself says of a call, or of its own start, that failed. */
export async function troubleOf(
  promise: Promise<unknown>,
): Promise<{ code: unknown; message: string }> {
  const { code, message } = causeOf(await failureOf(promise));
  return { code, message };
}

/** `ok`, or the code of each rejection, in order. */
export async function codesOf(promises: readonly Promise<unknown>[]): Promise<string[]> {
  const outcomes = await soon(Promise.allSettled(promises), 15_000);
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return 'ok';
    return codeOf(outcome.reason);
  });
}

/** The errors of a verb for all plugins that did not go well for all. */
export async function failuresOf(promise: Promise<unknown>): Promise<PluginError[]> {
  const error: unknown = await soon(promise).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AggregateError);
  return (error as AggregateError).errors.map((each: unknown) => {
    expect(each).toBeInstanceOf(PluginError);
    return each as PluginError;
  });
}

/** What an error is told apart by. */
export function codeOf(error: unknown): string {
  return error instanceof PluginError ? error.code : String(error);
}

/** All chunks of a stream, and the error it ended with, if it did. */
export async function readAll<T>(
  stream: AsyncIterable<T>,
): Promise<{ chunks: T[]; error: unknown }> {
  const chunks: T[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
    return { chunks, error: undefined };
  } catch (error) {
    return { chunks, error };
  }
}
