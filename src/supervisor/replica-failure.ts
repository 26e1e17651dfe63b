/** A verb that some replicas did not manage, as one error. */
import { PluginError } from '../protocol/errors.ts';

export interface ReplicaFailure {
  replica: number;
  error: PluginError;
}

export function failureOf(
  pluginId: string,
  failures: readonly ReplicaFailure[],
): PluginError | undefined {
  const [first] = failures;
  if (!first) return undefined;
  // what the state of the set does not allow is nobody's failure
  if (failures.every(({ error }) => error.code === 'INVALID_STATE')) return first.error;
  const named = failures.map(
    ({ replica, error }) => `replica ${String(replica)}: ${error.message}`,
  );
  const { code, data, cause } = first.error;
  return new PluginError(code, `${pluginId}, ${named.join('; ')}`, {
    pluginId,
    data: { ...data, replica: first.replica, replicas: failures.map(({ replica }) => replica) },
    cause,
  });
}
