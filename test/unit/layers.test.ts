import { describe, expect, it } from 'vitest';

import { codeOf, filesBelow, importsOf } from '../support/sources.ts';

interface Layer {
  /** Other layers it may import. */
  layers: string[];
  /** Layers of which it may import types only. */
  types?: string[];
  /** Packages it is built on; `node:` stands for Node's own. */
  packages?: string[];
}

/** The table of ARCHITECTURE.md: who may import whom. An import within a layer is always fine. */
const LAYERS: Record<string, Layer> = {
  'src/protocol': { layers: [], packages: ['msgpackr'] },
  'src/transport': { layers: ['src/protocol'], packages: ['node:', 'comlink'] },
  'src/plugin.ts': { layers: ['src/protocol'], types: ['src/tool.ts'] },
  'src/tool.ts': { layers: [], types: ['src/plugin.ts'], packages: ['@standard-schema/spec'] },
  'src/script.d.ts': { layers: [], packages: ['troupe'] },
  'src/actor': { layers: ['src/protocol', 'src/transport', 'src/plugin.ts'], packages: ['node:'] },
  'src/hosts': {
    layers: ['src/protocol', 'src/plugin.ts'],
    packages: ['node:', 'quickjs-wasi'],
  },
  'src/supervisor': {
    layers: ['src/protocol', 'src/transport'],
    packages: ['node:', 'async-mutex', 'piscina'],
  },
  'src/kernel': {
    layers: ['src/protocol', 'src/supervisor'],
    types: ['src/plugin.ts'],
    packages: ['node:', 'async-mutex', 'chokidar', 'esbuild', 'semver', 'zod'],
  },
  'src/cluster': { layers: ['src/protocol', 'src/kernel'], packages: ['node:', 'nats'] },
  'src/adapters': { layers: ['src/index.ts', 'src/plugin.ts'], packages: ['node:'] },
  'src/cli': {
    layers: ['src/index.ts', 'src/plugin.ts', 'src/adapters', 'src/cluster'],
    packages: ['node:', 'citty', 'cli-table3'],
  },
  'src/index.ts': { layers: ['src/kernel', 'src/protocol', 'src/plugin.ts'] },
  'workers': { layers: ['src/actor', 'src/hosts', 'src/transport'], packages: ['node:'] },
  'plugins': {
    layers: [],
    packages: [
      'node:',
      'troupe',
      '@ai-sdk/openai-compatible',
      '@orama/orama',
      '@redis/client',
      '@standard-schema/spec',
      'ai',
      'ajv',
      'ajv-formats',
      'ipaddr.js',
      'json-p3',
      'lmdb',
      'luxon',
      'quickjs-wasi',
      'zod',
    ],
  },
};

const FILES = ['src', 'workers', 'plugins'].flatMap(filesBelow);
const IMPORTS = FILES.flatMap(importsOf);

describe('the layers', () => {
  it('hold every file', () => {
    expect(FILES.length).toBeGreaterThan(50);
    expect(FILES.filter((file) => layerOf(file) === undefined)).toEqual([]);
  });

  it('import only those below them', () => {
    const wrong = IMPORTS.filter(({ from, to, isPackage, isType }) => {
      const [here, there] = [layerOf(from), layerOf(to)];
      if (isPackage || here === there) return false;
      const { layers = [], types = [] } = LAYERS[here ?? ''] ?? {};
      return !layers.includes(there ?? '') && !(isType && types.includes(there ?? ''));
    });
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('import only the packages they are built on', () => {
    const wrong = IMPORTS.filter(({ from, to, isPackage }) => {
      const { packages = [] } = LAYERS[layerOf(from) ?? ''] ?? {};
      return (
        isPackage &&
        !packages.includes(to) &&
        !(to.startsWith('node:') && packages.includes('node:'))
      );
    });
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('import files that are there', () => {
    const files = new Set(FILES);
    const wrong = IMPORTS.filter(({ to, isPackage }) => !isPackage && !files.has(to));
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });
});

describe('no file', () => {
  it('is part of an import cycle', () => {
    const edges = new Map<string, string[]>();
    for (const { from, to, isPackage, isType } of IMPORTS) {
      if (!isPackage && !isType) edges.set(from, [...(edges.get(from) ?? []), to]);
    }
    expect(cyclesOf(edges)).toEqual([]);
  });

  it('of the protocol has a timer, a clock or a process', () => {
    const forbidden =
      /\b(set(Timeout|Interval|Immediate)|queueMicrotask)\(|\b(performance|process)\./;
    const wrong = filesBelow('src/protocol').filter((file) => forbidden.test(codeOf(file)));
    expect(wrong).toEqual([]);
  });

  it('but those of the supervisor makes a thread, and a plugin one inside its own', () => {
    const makers = FILES.filter((file) => /\bnew (Worker|Piscina)\(|\bfork\(/.test(codeOf(file)));
    const others = makers.filter((file) => layerOf(file) !== 'src/supervisor');
    expect(others).toEqual(['plugins/tool/builtin/script-thread.ts']);
    expect(makers).not.toEqual(others);
  });

  it('is longer than 400 lines', () => {
    const long = FILES.filter((file) => codeOf(file).split('\n').length > 400);
    expect(long).toEqual([]);
  });
});

function layerOf(file: string): string | undefined {
  return Object.keys(LAYERS).find((layer) => file === layer || file.startsWith(`${layer}/`));
}

/** Each cycle once, as a path that comes back to where it began. */
function cyclesOf(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const finished = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, above: readonly string[]): void => {
    const at = above.indexOf(file);
    if (at >= 0) {
      found.push([...above.slice(at), file].join(' → '));
      return;
    }
    if (finished.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...above, file]);
    finished.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return found;
}
