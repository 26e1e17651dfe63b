/** A spec that knows how its plugin is asked: what the factories of bundled plugins return. */
import type { PluginSpec } from '../protocol/manifest.ts';
import type { PluginHandle } from './handle.ts';

const METHODS = Symbol.for('troupe.methods');

/** A spec with the types of its plugin's inputs and outputs, and methods for its handle. */
export interface TypedSpec<I = unknown, O = unknown, M extends object = object> extends PluginSpec {
  readonly [METHODS]: (plugin: PluginHandle<I, O>) => M;
}

/** A handle with the methods of its spec; one that has the name of a verb stands in its place. */
export type TypedHandle<I, O, M extends object> = Omit<PluginHandle<I, O>, keyof M> & M;

/**
 * Gives a spec the types of its plugin and methods for its handle: `register(spec)` and
 * `manager.plugin(spec)` return a handle that has them.
 *
 * @example
 * export const counter = (id: string) =>
 *   typedSpec({ id, entry }, (plugin: PluginHandle<{ by: number }, number>) => ({
 *     up: (by = 1) => plugin.execute({ by }),
 *   }));
 * const visits = await manager.register(counter('visits'));
 * await visits.up();
 */
export function typedSpec<I, O, M extends object>(
  spec: PluginSpec,
  methods: (plugin: PluginHandle<I, O>) => M,
): TypedSpec<I, O, M> {
  return { ...spec, [METHODS]: methods };
}

/**
 * A handle, with the methods of its spec where that has some. They are given a handle of their
 * own, so that one which stands in the place of a verb can still call that.
 */
export function withMethods(create: () => PluginHandle, spec: unknown): PluginHandle {
  if (!isTyped(spec)) return create();
  const methods = spec[METHODS](create());
  return Object.defineProperties(create(), Object.getOwnPropertyDescriptors(methods));
}

function isTyped(spec: unknown): spec is TypedSpec {
  return typeof spec === 'object' && spec !== null && METHODS in spec;
}
