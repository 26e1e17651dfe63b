/** Which measurements are made, in which order. */

export interface CellPlan {
  threads: number;
  /** In all threads together. */
  inFlight: number;
}

export interface Sweep {
  cells: readonly CellPlan[];
  /** Fewer calls than threads: some threads would have nothing to do. */
  leftOut: readonly CellPlan[];
}

export function planSweep(threads: readonly number[], inFlight: readonly number[]): Sweep {
  const all = threads.flatMap((count) =>
    inFlight.map((open) => ({ threads: count, inFlight: open })),
  );
  return {
    cells: all.filter((cell) => cell.inFlight >= cell.threads),
    leftOut: all.filter((cell) => cell.inFlight < cell.threads),
  };
}
