/** What becomes of what a life tells while it lasts: most of it is only told on. */
import type { Chronicle } from './chronicle.ts';
import type { LifeEvents } from './life.ts';
import type { SupervisorOptions } from './surroundings.ts';

export interface LifeListener extends Pick<LifeEvents, 'threadDied' | 'room'> {
  outgoing: SupervisorOptions['outgoing'];
  chronicle: Chronicle;
  /** At a checkpoint: the pause of this number is reached, or is over. */
  stoodStill(pause: number, hook: 'pause' | 'resume'): void;
}

export function lifeEvents(listener: LifeListener): LifeEvents {
  const { chronicle } = listener;
  return {
    outgoing(frame, link) {
      listener.outgoing(link, frame);
    },
    log(line) {
      chronicle.log(line);
    },
    parked(pause) {
      listener.stoodStill(pause, 'pause');
    },
    awake(pause) {
      listener.stoodStill(pause, 'resume');
    },
    malformed(message) {
      chronicle.warn(message);
    },
    overMemory(reading, limitBytes) {
      chronicle.tell({ type: 'memory-limit', ...reading, limitBytes });
    },
    unresponsive(silence) {
      chronicle.silent(silence);
    },
    threadDied(thread, death) {
      listener.threadDied(thread, death);
    },
    room() {
      listener.room();
    },
  };
}
