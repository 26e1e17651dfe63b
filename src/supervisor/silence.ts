/** What is done about a life that is silent while it is inside no call: told, and ended. */
import type { PluginPlan } from '../protocol/manifest.ts';
import { watchIdle } from './idle-watch.ts';
import type { Life } from './life.ts';

export interface SilenceOptions {
  plan: PluginPlan;
  life: Life;
  /** A hook runs, or it stands still at a checkpoint. */
  isExcused: () => boolean;
  tell: (silence: { reason: string; stack: string | undefined }) => void;
}

/** @returns what ends the watch. */
export function endWhenSilent({ plan, life, isExcused, tell }: SilenceOptions): () => void {
  const { unresponsiveMs } = plan.limits;
  if (unresponsiveMs === 0) return () => undefined;
  let isOver = false;
  const act = async (): Promise<void> => {
    const stack = await life.stack();
    if (isOver) return;
    const reason = `its thread did not answer for ${String(unresponsiveMs)} ms though it is inside no call`;
    tell({ reason, stack });
    if (plan.restart.type === 'temporary') return;
    life.end('hang', stack === undefined ? reason : `${reason}:\n${stack}`);
  };
  const stop = watchIdle({
    unresponsiveMs,
    isExcused: () =>
      isExcused() || life.diagnosis.standsStill || life.board.busySince() !== undefined,
    idleMs: () => life.idleMs(),
    ping: () => life.control.ping(),
    unresponsive: () => {
      void act();
    },
  });
  return () => {
    isOver = true;
    stop();
  };
}
