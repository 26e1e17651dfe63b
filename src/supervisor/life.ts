/**
 * One life of an actor, whatever runs it: the seam behind which a thread and a child process are
 * the same. The supervisor holds at most one; everything about it dies with it.
 */
import type { FrameReader } from '../protocol/frame.ts';
import type { KeptModules, ScriptSources } from '../protocol/kept-code.ts';
import type { Access, PluginPlan } from '../protocol/manifest.ts';
import type { ActorControl, BootData } from '../protocol/messages.ts';
import type { CrashReason, LogLine, ThreadCounts } from '../protocol/report.ts';
import type { ScriptEngine } from '../protocol/script-boot.ts';
import type { WasmBoot } from '../protocol/wasm-boot.ts';
import type { ActorLink, CallCarrier, CallTarget } from './call-target.ts';
import type { CpuProfile, ProfileRequest } from './cpu-profile.ts';
import type { MemoryReading } from './memory-rules.ts';

/** How a life ended. */
export interface Death {
  /** What it was, unless somebody asked for the end. */
  reason: CrashReason | 'asked' | 'normal' | 'shutdown';
  message: string;
  exitCode: number | undefined;
  error: Error | undefined;
  /** `terminate()` did not come back in time: settles when the thread is gone after all. */
  zombie: Promise<void> | undefined;
}

export interface Life extends CallTarget {
  /** Epoch ms. */
  readonly startedAt: number;
  /** Over which its actors speak to the kernel. */
  readonly links: Iterable<ActorLink>;
  /** Raw: a verb of it hangs for ever when the thread dies. */
  readonly control: ActorControl;
  /** Settles once, when nothing more can come from it. */
  readonly died: Promise<Death>;
  /**
   * Ends it: for a reason of ours, or because somebody asked.
   *
   * @param call what a life of many threads loses is only the one inside this call.
   */
  end(reason: CrashReason | 'asked', message?: string, call?: number): void;
  /** Of a life of many threads: how many there are, and may be. */
  threads?(): ThreadCounts;
  /** Share of the time its event loop was busy since the last question, 0 to 1; `undefined` where only it can say. */
  utilization(): number | undefined;
  /** How long its event loop has slept since its start (ms); 0 where that cannot be seen from outside. */
  idleMs(): number;
  /** Where it is, as lines of a stack; `undefined` where it cannot be known. */
  stack(): Promise<string | undefined>;
  /** `undefined` where it has none. */
  readonly diagnosis: LifeDiagnosis;
}

/** Looks closely at a life while it lasts. */
export interface LifeDiagnosis {
  /** Samples what it does; `undefined`: it did not answer, or `signal` was aborted. */
  cpuProfile(request: ProfileRequest): Promise<CpuProfile | undefined>;
  /**
   * Writes its heap to this file, where it is there, and stands still meanwhile. `false`: it did
   * not answer. Rejects with what went wrong at it.
   */
  heapSnapshot(file: string): Promise<boolean>;
  /** It does so now, even if nobody waits for that any more; it answers nothing else. */
  readonly standsStill: boolean;
}

/** What a life tells while it lasts. */
export interface LifeEvents {
  /** Calls an actor makes over this link of the life, and cancels and credit about them. */
  outgoing(frame: FrameReader, link: ActorLink): void;
  log(line: LogLine): void;
  /** The pause of this number stands still at a checkpoint. */
  parked(pause: number): void;
  awake(pause: number): void;
  malformed(what: string): void;
  /** It holds more than it may, and is being ended. */
  overMemory(reading: MemoryReading, limitBytes: number): void;
  /** A thread of many was silent though it was inside no call. */
  unresponsive(silence: { reason: string; stack: string | undefined }): void;
  /** A thread of many is gone, with the calls that were there; the life goes on. */
  threadDied(thread: CallCarrier & Pick<Life, 'links'>, death: Death): void;
  /** There is room for calls again, though none was answered. */
  room(): void;
}

export interface LifeRequest {
  plan: PluginPlan;
  agentId: string;
  generation: number;
  replica: number;
  /** The module that runs, after bundling. */
  entryUrl: string;
  /** What else it imports, by name, after bundling. */
  modules: Record<string, string>;
  sourceMaps: boolean;
  wasm?: WasmBoot | undefined;
  engine?: ScriptEngine | undefined;
  kept?: KeptModules | undefined;
  sources?: ScriptSources | undefined;
  events: LifeEvents;
}

/** @param guard what the actor itself is to hold the plugin to. */
export function bootDataOf(request: LifeRequest, guard?: Access): BootData {
  const { plan, agentId, generation, replica, entryUrl, modules, sourceMaps } = request;
  const { wasm, engine, kept, sources } = request;
  return {
    pluginId: plan.metadata.id,
    agentId,
    generation,
    replica,
    host: plan.host,
    entryUrl,
    modules,
    sourceMaps,
    kept,
    config: plan.config,
    secrets: plan.secrets,
    carrier: plan.carrier,
    // a pool is inside as many calls as it has threads, each of them inside one
    concurrency: plan.isolation === 'pool' ? 1 : plan.concurrency,
    limits: plan.limits,
    script: plan.script,
    guard,
    wasm,
    engine,
    sources,
  };
}

export type CreateLife = (request: LifeRequest) => Life;
