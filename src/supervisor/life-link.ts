/** The supervisor's end of a life's link, whatever carries it: sends once a turn, and sorts what comes. */
import { decode } from '../protocol/codec.ts';
import { CRASH_KIND, KIND, type FrameReader } from '../protocol/frame.ts';
import { RUNTIME_LIMITS, WINDOW_CALLS } from '../protocol/limits.ts';
import type { LogLine } from '../protocol/report.ts';
import type { SignalBoard } from '../protocol/signal-board.ts';
import { fromWireError, isWireError } from '../protocol/wire-error.ts';
import { Link } from '../transport/link.ts';
import type { Transport } from '../transport/transport.ts';
import type { LifeEvents, LifeRequest } from './life.ts';
import type { Obituary } from './obituary.ts';

/** @param gone it said that it exits: whoever waits for it need not wait until it has. */
export function openLifeLink(
  transport: Transport,
  { generation, events }: LifeRequest,
  obituary: Obituary,
  gone: (exitCode: number) => void,
): Link {
  const flush = (): void => {
    link.flush();
  };
  const link: Link = new Link({
    transport,
    generation,
    slots: WINDOW_CALLS,
    onFrame: (frame) => {
      if (frame.kind === KIND.gone) gone(frame.detail | 0);
      else onFrame(frame, link, events, obituary);
    },
    onMalformed: (what) => {
      events.malformed(what);
    },
    onPending: () => {
      void THIS_TURN.then(flush);
    },
  });
  return link;
}

/** For a plugin whose thread may stand still until something comes: it is told when something does. */
export function ringing(transport: Transport, board: SignalBoard): Transport {
  return {
    get isHungry() {
      return transport.isHungry ?? false;
    },
    send(...message) {
      transport.send(...message);
      board.ring();
    },
    onMessage(listener) {
      transport.onMessage(listener);
    },
    giveWay() {
      transport.giveWay?.();
    },
    close() {
      transport.close();
    },
  };
}

/** `queueMicrotask` makes an async resource for each batch; a settled promise does not. */
const THIS_TURN = Promise.resolve();

function onFrame(frame: FrameReader, link: Link, events: LifeEvents, obituary: Obituary): void {
  switch (frame.kind) {
    case KIND.call:
    case KIND.cancel:
    case KIND.credit:
    case KIND.bind:
      events.outgoing(frame, link);
      return;
    case KIND.log:
      events.log(decode(frame, RUNTIME_LIMITS) as LogLine);
      return;
    case KIND.parked:
      events.parked(frame.detail);
      return;
    case KIND.awake:
      events.awake(frame.detail);
      return;
    case KIND.crash: {
      const wire = decode(frame, RUNTIME_LIMITS);
      const rejected = frame.detail === CRASH_KIND['unhandled-rejection'];
      const reason = rejected ? 'unhandled-rejection' : 'uncaught';
      obituary.heard(reason, isWireError(wire) ? fromWireError(wire) : wire);
      return;
    }
    case KIND.exit: {
      const said = decode(frame, RUNTIME_LIMITS) as { reason?: unknown };
      obituary.heard(said.reason === 'shutdown' ? 'shutdown' : 'normal');
      return;
    }
    default:
      events.malformed(`a frame of kind ${String(frame.kind)}`);
  }
}
