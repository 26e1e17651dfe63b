/**
 * What main thread and actor say to each other beside calls: the boot data, the control plane's
 * verbs, and the kernel's services. Calls themselves are frames (frame.ts).
 */
import type { KeptModules, ScriptSources } from './kept-code.ts';
import type { Limits } from './limits.ts';
import type { Access, CarrierKind, HostKind, ScriptPlan } from './manifest.ts';
import type { MetricSample } from './metrics.ts';
import type { ScriptEngine } from './script-boot.ts';
import type { WasmBoot } from './wasm-boot.ts';
import type { HttpRequest } from './wasm.ts';
import type { WireError } from './wire-error.ts';

/** The first thing an actor is told. */
export interface BootData {
  pluginId: string;
  agentId: string;
  generation: number;
  /** Which of the plugin's replicas it is; 0 where it has none. */
  replica: number;
  host: HostKind;
  /** The module that runs, after bundling. */
  entryUrl: string;
  /** What else it imports, by name, after bundling. */
  modules: Record<string, string>;
  /** Whether any was bundled from TypeScript: then stacks are mapped back. */
  sourceMaps: boolean;
  /** What to import instead of files that have changed since. */
  kept?: KeptModules | undefined;
  config: Record<string, unknown>;
  /** Texts that the actor takes out of what it tells. */
  secrets: string[];
  carrier: CarrierKind;
  concurrency: number;
  limits: Limits;
  /** Of a script. */
  script: ScriptPlan | undefined;
  /** Of a script that was loaded before: what it was made of then. */
  sources?: ScriptSources | undefined;
  /** What scripts of one program have in common; a process has it alone. */
  engine?: ScriptEngine | undefined;
  /** What the actor itself holds the plugin to, where Node does not: in a thread. */
  guard: Access | undefined;
  /** Of the wasm host. */
  wasm?: WasmBoot | undefined;
}

/** The answer to a control verb: an error is data, so it keeps its code and stack. */
export type Outcome<T = void> = { ok: true; value: T } | { ok: false; error: WireError };

/** A value of the plugin's, encoded as on the bus. */
export interface EncodedValue {
  frame: Uint8Array;
  flags: number;
}

export interface ActorHealth {
  ready: boolean;
  detail?: EncodedValue | undefined;
  reason?: string | undefined;
}

export interface ActorStats {
  heapUsedBytes: number;
  externalBytes: number;
  /** Share of the time the event loop was busy since the last question, 0 to 1. */
  utilization: number;
  metrics: MetricSample[];
  /** Encoded: what the plugin's `stats` hook says. */
  plugin: EncodedValue | undefined;
}

export const START_HOOKS = ['load', 'init', 'start'] as const;
export type StartHook = (typeof START_HOOKS)[number];

/** Hooks that are asked for only where the plugin has them. */
export const OPTIONAL_HOOKS = [...START_HOOKS, 'snapshot', 'restore'] as const;
export type OptionalHook = (typeof OPTIONAL_HOOKS)[number];

/** What is known of a plugin once its module is there. */
export interface Opened {
  /** Those it has: the others need not be asked for. */
  hooks: OptionalHook[];
  /** Of a script. */
  sources?: ScriptSources | undefined;
}

export interface ProfileTimes {
  durationMs: number;
  samplingIntervalUs: number;
}

/** The control plane, spoken over Comlink. None of these is waited for without a deadline. */
export interface ActorControl {
  /** Imports the plugin's module. */
  open(): Promise<Outcome<Opened>>;
  hook(name: StartHook): Promise<Outcome>;
  /** Settles once no call runs and the `pause` hook is done. `number` is the board's pause. */
  pause(number: number): Promise<Outcome>;
  /** The `resume` hook, where the `pause` hook ran; then calls begin again. */
  resume(): Promise<Outcome>;
  /** Waits until no call runs, then runs the hooks, in this order. */
  shutdown(hooks: ('stop' | 'unload')[]): Promise<Outcome>;
  /** Between two calls; `undefined` where the plugin has no such hook. */
  snapshot(): Promise<Outcome<EncodedValue | undefined>>;
  /** What a snapshot said, of an earlier life. */
  restore(saved: EncodedValue): Promise<Outcome>;
  /** Answered by the thread itself, without the plugin: whether it is alive. */
  ping(): Promise<void>;
  health(): Promise<ActorHealth>;
  stats(): Promise<ActorStats>;
  /** Looks at itself: where nobody can from outside. What a `.cpuprofile` file holds. */
  cpuProfile(times: ProfileTimes): Promise<Outcome<string>>;
  /** Writes its heap into this file, standing still meanwhile. */
  heapSnapshot(file: string): Promise<Outcome<true>>;
}

/** What an actor asks of the kernel: bodies of calls to route 0. */
export type ServiceRequest =
  | { op: 'state.get'; key: string }
  | { op: 'state.set'; key: string; value: unknown }
  /** Sets only where the version is still this one (0: absent). Answers whether it did. */
  | { op: 'state.swap'; key: string; value: unknown; version: number }
  | { op: 'state.read'; key: string }
  | { op: 'state.delete'; key: string }
  | { op: 'state.keys' }
  /** A stream of values. */
  | { op: 'state.watch'; key: string }
  | { op: 'events.emit'; topic: string; data: unknown }
  /** A stream of events. */
  | { op: 'events.on'; topic: string }
  | { op: 'lock.acquire'; name: string; timeoutMs: number | undefined }
  | { op: 'lock.release'; token: number }
  /** Answers an HttpAnswer. */
  | { op: 'http'; request: HttpRequest }
  | { op: 'shared'; name: string; byteLength: number }
  /** Answers nothing, after everything that was asked before it. */
  | { op: 'sync' }
  /** Answers PluginListings. */
  | { op: 'plugins.list' }
  /** Answers a Map of PluginStats. */
  | { op: 'plugins.stats' };

/** Answer to `state.read`. */
export interface VersionedValue {
  value: unknown;
  version: number;
}
