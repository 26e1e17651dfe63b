/** Plugins and inputs for `troupe bench`, and what it shows of a result. */
import { temporaryFolder } from './files.ts';

export const PLUGINS = {
  'echo.mjs': 'export default (value) => value;',
  'typed.ts': 'export default (value: number): number => value + 1;',
  'failing.mjs': 'export default () => { throw new TypeError("no good"); };',
  'picky.mjs': 'export default (n) => { if (n === 2) throw new RangeError("not 2"); return n; };',
  'mortal.mjs': 'export default (n) => { if (n === "die") process.exit(3); return n; };',
  'doomed.mjs': 'export default () => process.exit(3);',
  'hanging.mjs': 'export default () => new Promise(() => {});',
  'chunks.mjs': 'export default function* () { for (let i = 0; i < 10; i++) yield i; }',
  'endless.mjs': 'export default function* () { for (let i = 0; ; i++) yield i; }',
  'needy.mjs':
    'export default { init() { throw new Error("no key"); }, execute: (value) => value };',
  'no-plugin.mjs': 'export default 42;',
  'broken.mjs': 'this is no code',
  'logging.mjs': 'export default (n) => { console.log("got", n); return n; };',
  'plain.json': '[1, 2, 3, 4]',
  'lines.ndjson': '1\n"die"\n3\n4\n5\n6\n7\n8\n9\n10\n',
  'damaged.ndjson': '1\n{"a":\n',
  'package/plugin.json': JSON.stringify({
    $schema: 'https://example.org/plugin.json',
    id: 'adder',
    name: 'Adder',
    type: 'tool',
    version: '2.1.0',
    entry: './adder.mjs',
    config: { by: 1, unused: true },
    concurrency: 2,
  }),
  'package/adder.mjs': 'export default (n, call) => n;',
  'wrong/plugin.json': '{"id": "wrong", "type": "tool", "entry": "../echo.mjs"}',
};
/** A measurement that is soon over. */
export const FEW = ['--calls', '20', '--rounds', '2', '--warmup', '0', '--in-flight', '1,4'];

interface ShownCell {
  threads: number;
  inFlight: number;
  summary: { succeeded: number; failed: number; failures: Record<string, number>; crashes: number };
  rounds: { callsPerSec: number; chunksPerSec?: number; latencyMs?: Record<string, number> }[];
}

export interface Shown {
  isPartial: boolean;
  plugin: Record<string, unknown>;
  options: Record<string, unknown>;
  inputs: Record<string, unknown>;
  cells: ShownCell[];
}

export function benchFolder(more: Record<string, string> = {}): Promise<string> {
  return temporaryFolder({ ...PLUGINS, ...more });
}
