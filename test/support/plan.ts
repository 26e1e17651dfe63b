/** Plans without files: what a spec becomes, with the parts a test is about. */
import {
  DEFAULT_LIMITS,
  DEFAULT_MAILBOX,
  DEFAULT_RELOAD,
  DEFAULT_RESTART,
} from '../../src/protocol/limits.ts';
import type { Dependency, PluginMetadata, PluginPlan } from '../../src/protocol/manifest.ts';

export interface PlanFields {
  metadata?: Partial<PluginMetadata>;
  dependencies?: (Partial<Dependency> & { id: string })[];
  limits?: Partial<PluginPlan['limits']>;
  mailbox?: Partial<PluginPlan['mailbox']>;
  restart?: Partial<PluginPlan['restart']>;
  reload?: Partial<PluginPlan['reload']>;
  concurrency?: number;
  replicas?: PluginPlan['replicas'];
}

export function planFor(id: string, fields: PlanFields = {}): PluginPlan {
  const dependencies = (fields.dependencies ?? []).map(
    ({ id, range, optional = false }): Dependency => ({ id, range, optional }),
  );
  return {
    metadata: {
      id,
      name: id,
      type: 'custom',
      version: '1.0.0',
      description: '',
      author: '',
      capabilities: [],
      priority: 0,
      dependencies: [],
      ...fields.metadata,
    },
    dependencies,
    entry: new URL('file:///plugin.mjs'),
    sha256: undefined,
    modules: {},
    host: 'module',
    isolation: 'thread',
    config: {},
    enabled: true,
    autoStart: true,
    carrier: 'auto',
    concurrency: fields.concurrency ?? 1,
    threads: undefined,
    replicas: fields.replicas,
    mailbox: { ...DEFAULT_MAILBOX, ...fields.mailbox },
    limits: { ...DEFAULT_LIMITS, unresponsiveMs: 0, ...fields.limits },
    restart: { ...DEFAULT_RESTART, ...fields.restart },
    reload: { ...DEFAULT_RELOAD, ...fields.reload },
    env: {},
    secrets: [],
    script: undefined,
    access: undefined,
  };
}
