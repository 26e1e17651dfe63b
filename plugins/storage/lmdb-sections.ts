/**
 * LMDB's add-on is written with node-addon-api's classes: where its thread is to be ended, one of their
 * methods aborts the process instead. So all of them are called in sections in which no thread is ended.
 */
import { createRequire } from 'node:module';

import { messageOf } from '../coded-error.ts';
import { StorageError } from './storage-error.ts';

/** Runs what the thread must not be ended in: `ctx.uninterrupted`. */
export type Uninterrupted = <T>(work: () => T) => T;

type Lmdb = typeof import('lmdb');
type Method = (...args: unknown[]) => unknown;

/** The library. An `import` would go on in between, and the add-on is set up in the same way as it is called. */
export function loadLmdb(uninterrupted: Uninterrupted): Lmdb {
  try {
    return uninterrupted(() => createRequire(import.meta.url)('lmdb') as Lmdb);
  } catch (error) {
    const isDenied =
      error instanceof Error && 'code' in error && error.code === 'ERR_DLOPEN_DISABLED';
    const why = isDenied
      ? 'it is a native add-on, and this plugin may load none: set permissions.addons to true, or use another backend'
      : messageOf(error);
    const message = `LMDB cannot be loaded: ${why}`;
    throw new StorageError('STORAGE_FAILED', message, { cause: error });
  }
}

/** Has the environment's methods called in sections, for lmdb calls them by itself, when it is to write. */
export function inSections(root: object, uninterrupted: Uninterrupted): void {
  const env: unknown = Reflect.get(root, 'env');
  if (typeof env !== 'object' || env === null) throw new TypeError('this lmdb has no env');
  const native: unknown = Object.getPrototypeOf(env);
  if (typeof native !== 'object' || native === null) return;
  for (const name of Object.getOwnPropertyNames(native)) {
    const method: unknown = Reflect.get(native, name);
    if (name === 'constructor' || !isMethod(method)) continue;
    // they cannot be assigned; one of them lmdb replaces when it closes
    Object.defineProperty(env, name, {
      configurable: true,
      value: (...args: unknown[]) => uninterrupted(() => method.apply(env, args)),
    });
  }
}

function isMethod(value: unknown): value is Method {
  return typeof value === 'function';
}
