/** What every factory lets its user say of the spec it makes. */
import type { PluginSpec } from 'troupe';

/** Fields of a spec that the factories of bundled plugins take beside their own options. */
export type SpecOptions = Partial<
  Pick<
    PluginSpec,
    | 'name'
    | 'description'
    | 'version'
    | 'priority'
    | 'dependencies'
    | 'enabled'
    | 'autoStart'
    | 'concurrency'
    | 'limits'
    | 'mailbox'
    | 'restart'
    | 'reload'
    | 'permissions'
    | 'isolation'
  >
>;

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
] as const satisfies readonly (keyof SpecOptions)[];

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
