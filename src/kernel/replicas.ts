/** How many replicas a spec asks for. */
import { availableParallelism } from 'node:os';

import { PluginError } from '../protocol/errors.ts';
import { GROW_AFTER_MS, SHRINK_AFTER_MS } from '../protocol/limits.ts';
import type { PluginSpec, ReplicaBounds } from '../protocol/manifest.ts';

/** @throws PluginError `INVALID_SPEC` for a range without numbers in it, or where there can be none. */
export function replicasOf({
  id,
  isolation,
  replicas,
}: Pick<PluginSpec, 'id' | 'isolation' | 'replicas'>): ReplicaBounds | undefined {
  if (replicas === undefined) return undefined;
  if (isolation === 'pool')
    throw invalid(
      id,
      "isolation 'pool' has threads of its own; remove it, and say how many in threads.max",
    );
  const times = { growAfterMs: GROW_AFTER_MS, shrinkAfterMs: SHRINK_AFTER_MS };
  if (typeof replicas === 'number') return { min: replicas, max: replicas, ...times };
  const range = replicas === 'auto' ? {} : replicas;
  const { min = 1, growAfterMs, shrinkAfterMs } = range;
  const { max = Math.max(min, availableParallelism() - 1) } = range;
  if (min > max) throw invalid(id, `min ${String(min)} is above max ${String(max)}`);
  return {
    min,
    max,
    growAfterMs: growAfterMs ?? times.growAfterMs,
    shrinkAfterMs: shrinkAfterMs ?? times.shrinkAfterMs,
  };
}

function invalid(id: string, what: string): PluginError {
  return new PluginError('INVALID_SPEC', `the spec of ${id} is not valid: "replicas": ${what}`, {
    pluginId: id,
    data: { field: 'replicas' },
  });
}
