/** The manager's verbs for one plugin, without its id. */
import type {
  CpuProfileReport,
  DeadLetter,
  HealthReport,
  HeapSnapshotReport,
  PluginState,
  PluginStats,
  ReloadResult,
} from '../protocol/report.ts';
import type { CpuProfileOptions, HeapSnapshotOptions } from './diagnosis.ts';
import type { ExecuteOptions } from './types.ts';

export interface PluginHandle<I = unknown, O = unknown> {
  readonly id: string;
  readonly state: PluginState;
  execute(input: I, options?: ExecuteOptions): Promise<O>;
  stream(input: I, options?: ExecuteOptions): AsyncIterable<O>;
  load(): Promise<void>;
  init(): Promise<void>;
  start(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
  unload(): Promise<void>;
  restart(): Promise<void>;
  reload(): Promise<ReloadResult>;
  unregister(): Promise<void>;
  health(): Promise<HealthReport>;
  stats(): Promise<PluginStats | undefined>;
  deadLetters(): DeadLetter[];
  cpuProfile(options: CpuProfileOptions): Promise<CpuProfileReport>;
  heapSnapshot(options: HeapSnapshotOptions): Promise<HeapSnapshotReport>;
}

/** What a handle is a view of. */
export interface HandleTarget {
  state(id: string): PluginState;
  execute(id: string, input: unknown, options?: ExecuteOptions): Promise<unknown>;
  stream(id: string, input: unknown, options?: ExecuteOptions): AsyncIterable<unknown>;
  load(id: string): Promise<void>;
  init(id: string): Promise<void>;
  start(id: string): Promise<void>;
  pause(id: string): Promise<void>;
  resume(id: string): Promise<void>;
  stop(id: string): Promise<void>;
  unload(id: string): Promise<void>;
  restart(id: string): Promise<void>;
  reload(id: string): Promise<ReloadResult>;
  unregister(id: string): Promise<void>;
  health(id: string): Promise<HealthReport>;
  stats(id: string): Promise<PluginStats | undefined>;
  deadLetters(id: string): DeadLetter[];
  cpuProfile(id: string, options: CpuProfileOptions): Promise<CpuProfileReport>;
  heapSnapshot(id: string, options: HeapSnapshotOptions): Promise<HeapSnapshotReport>;
}

export function createHandle<I, O>(manager: HandleTarget, id: string): PluginHandle<I, O> {
  return {
    id,
    get state() {
      return manager.state(id);
    },
    execute: (input, options) => manager.execute(id, input, options) as Promise<O>,
    stream: (input, options) => manager.stream(id, input, options) as AsyncIterable<O>,
    load: () => manager.load(id),
    init: () => manager.init(id),
    start: () => manager.start(id),
    pause: () => manager.pause(id),
    resume: () => manager.resume(id),
    stop: () => manager.stop(id),
    unload: () => manager.unload(id),
    restart: () => manager.restart(id),
    reload: () => manager.reload(id),
    unregister: () => manager.unregister(id),
    health: () => manager.health(id),
    stats: () => manager.stats(id),
    deadLetters: () => manager.deadLetters(id),
    cpuProfile: (options) => manager.cpuProfile(id, options),
    heapSnapshot: (options) => manager.heapSnapshot(id, options),
  };
}
