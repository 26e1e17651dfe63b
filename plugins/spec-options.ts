/** What every factory has in common: what its user may say of the spec it makes, and how it refuses. */
import { PluginError, type PluginSpec } from 'troupe';

const NAMES = [
  'name',
  'description',
  'version',
  'priority',
  'dependencies',
  'enabled',
  'autoStart',
  'concurrency',
  'limits',
  'mailbox',
  'restart',
  'reload',
  'permissions',
  'isolation',
] as const satisfies readonly (keyof PluginSpec)[];

/** Fields of a spec that the factories of bundled plugins take beside their own options. */
export type SpecOptions = Partial<Pick<PluginSpec, (typeof NAMES)[number]>>;

/** Parts options into those of the spec and those of the plugin itself. */
export function splitOptions<T extends SpecOptions>(
  options: T,
): { spec: SpecOptions; own: Omit<T, keyof SpecOptions> } {
  const own: Partial<T> = { ...options };
  const spec: Record<string, unknown> = {};
  for (const name of NAMES) {
    if (options[name] !== undefined) spec[name] = options[name];
    delete own[name];
  }
  return { spec, own: own as Omit<T, keyof SpecOptions> };
}

/** @param problem names the option. */
export function invalidOptions(pluginId: string, problem: string): PluginError {
  const message = `the options of ${pluginId} are not valid: ${problem}`;
  return new PluginError('INVALID_SPEC', message, { pluginId });
}
