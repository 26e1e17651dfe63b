/** `troupe bench`: its options. What it does is in ../bench. */
import { defineCommand } from 'citty';

export const bench = defineCommand({
  meta: {
    name: 'bench',
    description: `Measures throughput and latency of a plugin.
Every number of calls in flight is held for --duration, in --rounds rounds, each with fresh threads. The figures are medians of the rounds, from the caller's side, and go to stdout; what happens meanwhile goes to stderr. Exit code: 0; 1 where the plugin fails or regresses; 2 for a wrong option or file; 130 after Ctrl-C.`,
  },
  args: {
    'plugin': {
      type: 'positional',
      required: true,
      description: 'a .js or .ts file, a folder with a plugin.json, or that plugin.json',
    },
    'inputs': {
      type: 'string',
      valueHint: 'FILE',
      description:
        'what it is called with, in turn: a .json array, .ndjson, or a module whose default export is an array, an iterable, or a function of the call number',
    },
    'input': { type: 'string', valueHint: 'JSON', description: 'one input for all calls' },
    'in-flight': {
      type: 'string',
      valueHint: 'N,…',
      default: '1,16,256',
      description: 'calls open at once, in all threads together',
    },
    'threads': {
      type: 'string',
      valueHint: 'N,…',
      default: '1',
      description:
        'copies of the plugin, each in a thread or process of its own; with a pool its threads',
    },
    'duration': {
      type: 'string',
      valueHint: 'TIME',
      description: 'of one measurement, as 500ms, 5s or 1m [1s]',
    },
    'calls': {
      type: 'string',
      valueHint: 'N',
      description: 'instead of --duration, or whichever is reached first',
    },
    'warmup': {
      type: 'string',
      valueHint: 'TIME',
      default: '300ms',
      description: 'before each measurement, not counted',
    },
    'rounds': {
      type: 'string',
      valueHint: 'N',
      default: '5',
      description: 'measurements of each cell',
    },
    'timeout': { type: 'string', valueHint: 'TIME', description: 'of a call; 0 is none [30s]' },
    'stream': { type: 'boolean', description: 'reads results as streams, and counts chunks' },
    'isolation': {
      type: 'string',
      valueHint: 'KIND',
      description: 'thread, process or pool [as plugin.json says, else thread]',
    },
    'concurrency': {
      type: 'string',
      valueHint: 'N',
      description: 'calls that a thread is inside of at once [as plugin.json says, else 1]',
    },
    'config': {
      type: 'string',
      valueHint: 'FILE|JSON',
      description: 'laid over the config of plugin.json',
    },
    'with': { type: 'string', valueHint: 'PLUGIN,…', description: 'plugins that it calls' },
    'logs': { type: 'boolean', description: 'prints what the plugin logs, to stderr' },
    'json': { type: 'boolean', description: 'prints the result as JSON instead' },
    'save': { type: 'string', valueHint: 'FILE', description: 'writes the result as JSON' },
    'plot': { type: 'string', valueHint: 'FILE.svg', description: 'draws it' },
    'compare': {
      type: 'string',
      valueHint: 'FILE',
      description: 'an earlier result, from --save or --json',
    },
    'fail-on-regression': {
      type: 'string',
      valueHint: 'PERCENT',
      description:
        'with --compare: exit code 1 where throughput fell by more, and beyond the spread of the rounds',
    },
  },
  async run({ args }) {
    const [{ optionsOf }, { runBench }] = await Promise.all([
      import('../bench/options.ts'),
      import('../bench/run-bench.ts'),
    ]);
    return runBench(args.plugin, optionsOf(args));
  },
});
