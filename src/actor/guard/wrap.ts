/** Puts a question before a function. */
import process from 'node:process';

/** Why not, for these arguments. */
export type Check = (args: readonly unknown[]) => Error | undefined;

/** How a caller hears that it may not: as it would hear any other error of the function. */
export type Deliver = (error: Error, args: readonly unknown[]) => unknown;

export const THROW: Deliver = (error) => {
  throw error;
};
export const REJECT: Deliver = async (error) => {
  throw error;
};
export const CALL_BACK: Deliver = (error, args) => {
  const callback = args.at(-1);
  if (typeof callback !== 'function') throw error;
  process.nextTick(callback, error);
};

/** What is no function in this Node stays as it is. Properties of the function stay, too. */
export function wrap(owner: object, name: PropertyKey, check: Check, deliver: Deliver): void {
  const original: unknown = Reflect.get(owner, name);
  if (typeof original !== 'function') return;
  const guarded = new Proxy(original, {
    apply(target, self: unknown, args: unknown[]): unknown {
      const error = check(args);
      return error ? deliver(error, args) : Reflect.apply(target, self, args);
    },
    construct(target, args: unknown[], newTarget): object {
      const error = check(args);
      if (error) throw error;
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  Reflect.set(owner, name, guarded);
}
