/** One way to have calls answered in other threads. */
export interface Contender {
  readonly name: string;
  /** The best it has for small calls, or for what a question names it for. */
  readonly settings: string;
  start(course: Course): Promise<Running>;
}

export interface Course {
  work: Work;
  threads: number;
}

/** A file of `workers/work`; `move` is `echo` with bytes that are moved there and back. */
export type Work = 'echo' | 'hog' | 'mortal' | 'move' | 'primes';

export interface Running {
  /**
   * `lane` picks the thread, where the caller may pick: a caller that stays in its lane waits for
   * one thread alone.
   */
  call(input: unknown, lane: number, transfer?: ArrayBuffer[]): Promise<unknown>;
  stop(): Promise<unknown>;
}

export const ECHO: Course = { work: 'echo', threads: 1 };

/**
 * Without the loader that this bench itself is run with, which each thread would import, too; and
 * with an environment of its own, as a plugin has.
 */
export const PLAIN = { execArgv: [], env: {} };

export function workerFile(name: string): URL {
  return new URL(`../workers/${name}.mjs`, import.meta.url);
}

/** For a worker that imports its work: what to import. */
export function workerDataFor({ work }: Course): { work: string; moves: boolean } {
  const moves = work === 'move';
  return { work: workerFile(`work/${moves ? 'echo' : work}`).href, moves };
}

/** For a library that imports the work by itself; each has its own way to move a result. */
export function workFileFor({ work }: Course, library: string): URL {
  return workerFile(work === 'move' ? `${library}-move` : `work/${work}`);
}

export function times<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}
