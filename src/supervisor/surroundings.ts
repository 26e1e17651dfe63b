/** What a supervisor is given, and whom it tells. */
import type { FrameReader } from '../protocol/frame.ts';
import type { KeptModules, ScriptSources } from '../protocol/kept-code.ts';
import type { PluginPlan } from '../protocol/manifest.ts';
import type { ScriptEngine } from '../protocol/script-boot.ts';
import type { WasmBoot } from '../protocol/wasm-boot.ts';
import type { ActorLink } from './call-target.ts';
import type { SupervisorEvent } from './chronicle.ts';
import type { Estate } from './estate.ts';
import type { CreateLife } from './life.ts';
import type { EndReport } from './machine.ts';

/** What a thread imports. */
export interface PreparedEntry {
  entryUrl: string;
  /** What else it imports, by name. */
  modules: Record<string, string>;
  /** Whether stacks are to be mapped back to TypeScript. */
  sourceMaps: boolean;
  /** What to import instead of files that have changed since. */
  kept?: KeptModules | undefined;
  /** Of a WebAssembly plugin: its modules, compiled. */
  wasm?: WasmBoot | undefined;
  /** Of a script. */
  engine?: ScriptEngine | undefined;
  /** Of a script that has been loaded: what it was made of. */
  sources?: ScriptSources | undefined;
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
  /** What it has in common with others that keep the same plugin, now or before. */
  estate?: Estate;
  /** Which of the plugin's replicas it is. */
  replica?: number;
}

/** Decides about the restarts of a managed plugin. */
export interface Overseer {
  /** What is wanted back waits in `restarting` for an order. */
  ended(report: EndReport): void;
  /** The machine made a step. */
  changed(): void;
}
