/** In the order of the page. */
import type { Question } from '../question.ts';
import { cpuHeavy } from './cpu-heavy.ts';
import { hog } from './hog.ts';
import { idleMemory } from './idle-memory.ts';
import { manyPlugins } from './many-plugins.ts';
import { memory } from './memory.ts';
import { oneCall } from './one-call.ts';
import { payloads } from './payloads.ts';
import { pluginToPlugin } from './plugin-to-plugin.ts';
import { pool } from './pool.ts';
import { recovery } from './recovery.ts';
import { reload } from './reload.ts';
import { scripts } from './scripts.ts';
import { smallCalls } from './small-calls.ts';
import { start } from './start.ts';
import { statsAndDeadlines } from './stats-and-deadlines.ts';
import { storage } from './storage.ts';
import { streams } from './streams.ts';
import { wasm } from './wasm.ts';

export const QUESTIONS: readonly Question[] = [
  smallCalls,
  oneCall,
  payloads,
  streams,
  pluginToPlugin,
  pool,
  cpuHeavy,
  start,
  recovery,
  idleMemory,
  manyPlugins,
  statsAndDeadlines,
  hog,
  scripts,
  wasm,
  reload,
  memory,
  storage,
];
