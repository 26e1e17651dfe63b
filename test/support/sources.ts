/** The project's own source files, and what each imports. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Import {
  /** Of the importing file, from the project's root, with slashes. */
  from: string;
  /** A file of the project, from its root; else the package, or `node:…`. */
  to: string;
  isPackage: boolean;
  /** `import type`: gone at run time. */
  isType: boolean;
}

export function sourceOf(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

/** TypeScript files below a folder, from the project's root; declarations left out. */
export function filesBelow(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/')))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
}

export function importsOf(file: string): Import[] {
  const code = withoutComments(sourceOf(file));
  const statements = [...code.matchAll(STATEMENT)].map(([, type, to]) => ({
    to: to ?? '',
    isType: type !== undefined,
  }));
  const dynamic = [...code.matchAll(DYNAMIC)].map(([, to]) => ({ to: to ?? '', isType: false }));
  return [...statements, ...dynamic].map(({ to, isType }) => {
    const isPackage = !to.startsWith('.');
    const target = isPackage ? packageOf(to) : path.posix.join(path.posix.dirname(file), to);
    return { from: file, to: target, isPackage, isType };
  });
}

/** Text of a file's code: names in its comments are no code. */
export function codeOf(file: string): string {
  return withoutComments(sourceOf(file));
}

const STATEMENT = /^\s*(?:import|export)\s+(type\s+)?(?:[^;'"=]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1');
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
