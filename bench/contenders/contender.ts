/** One way to have a call answered in another thread. */
export interface Contender {
  readonly name: string;
  /** How it is set up, where that matters. */
  readonly settings: string;
  start(): Promise<Running>;
}

export interface Running {
  call(input: unknown): Promise<unknown>;
  stop(): Promise<unknown>;
}

export function workerFile(name: string): URL {
  return new URL(`../workers/${name}.mjs`, import.meta.url);
}
