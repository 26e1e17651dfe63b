/** What a supervisor is given, and whom it tells. */
import type { FrameReader } from '../protocol/frame.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { WasmBoot } from '../protocol/wasm-boot.ts';
import type { ActorLink } from './call-target.ts';
import type { SupervisorEvent } from './chronicle.ts';
import type { DispatcherShare } from './dispatcher.ts';
import type { CreateLife } from './life.ts';
import type { EndReport } from './machine.ts';

/** What a thread imports. */
export interface PreparedEntry {
  entryUrl: string;
  /** Whether stacks are to be mapped back to TypeScript. */
  sourceMaps: boolean;
  /** Of a WebAssembly plugin: its modules, compiled. */
  wasm?: WasmBoot | undefined;
}

export interface SupervisorOptions {
  plan: PluginPlan;
  agentId: string;
  createLife: CreateLife;
  /** Finds and, for TypeScript, bundles the code; rejects with LOAD_FAILED. */
  prepareEntry(plan: PluginPlan): Promise<PreparedEntry>;
  /** An actor calls somebody over this link. */
  outgoing(link: ActorLink, frame: FrameReader): void;
  /** Nobody speaks over this link any more: what its actor holds or waits for is to be let go. */
  hungUp(link: ActorLink): void;
  /** `replica`: the one it is of, where the plugin has any; said by its set. */
  emit(event: SupervisorEvent, generation: number, replica?: number): void;
  /** Default `Math.random`. */
  random?: () => number;
  /** It is one of several that keep the same plugin. */
  share?: ReplicaShare;
}

/** What the replicas of one plugin have in common. */
export interface ReplicaShare extends DispatcherShare {
  /** No two lives of a plugin have the same number. */
  nextGeneration(): number;
}

/** Decides about the restarts of a managed plugin. */
export interface Overseer {
  /** What is wanted back waits in `restarting` for an order. */
  ended(report: EndReport): void;
  /** The machine made a step. */
  changed(): void;
}
