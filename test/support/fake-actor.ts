/** An actor on a loopback: begins calls and answers them when a test says so. */
import { SharedWords } from '../../src/protocol/board-words.ts';
import { KIND, type Kind } from '../../src/protocol/frame.ts';
import { boardBytes, SignalBoard } from '../../src/protocol/signal-board.ts';
import type { CallTarget } from '../../src/supervisor/call-target.ts';
import { Link } from '../../src/transport/link.ts';
import { loopback } from '../../src/transport/loopback.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { frameOf, payloadOf, type ReadFrame } from './frames.ts';

/** A call at the actor. */
export type Visit = ReadFrame;

export class FakeActor {
  readonly target: CallTarget & { readonly link: Link; readonly board: SignalBoard };
  /** Arrived and not begun. */
  inbox: Visit[] = [];
  /** Begun and not answered. */
  running: Visit[] = [];
  /** Values of the calls it began, in order. */
  readonly begun: unknown[] = [];
  /** Cancels and credit. */
  readonly signals: ReadFrame[] = [];
  readonly malformed: string[] = [];
  readonly transport: Transport;
  readonly #link: Link;
  readonly #board: SignalBoard;

  constructor(generation = 1, slots = 64) {
    const [near, far] = loopback();
    const shared = new SharedArrayBuffer(boardBytes(slots));
    const board = new SignalBoard(new SharedWords(shared));
    this.transport = near;
    const onMalformed = (what: string): void => {
      this.malformed.push(what);
    };
    const link: Link = new Link({
      transport: near,
      generation,
      slots,
      onFrame: () => undefined,
      onMalformed,
      onPending: () => {
        queueMicrotask(() => {
          link.flush();
        });
      },
    });
    this.#board = new SignalBoard(new SharedWords(shared));
    this.#link = new Link({
      transport: far,
      generation,
      slots,
      onFrame: (frame) => {
        const read = frameOf(frame);
        if (read.kind === KIND.call) this.inbox.push(read);
        else this.signals.push(read);
      },
      onMalformed,
      onPending: () => undefined,
    });
    this.target = { generation, link, board };
  }

  /** Begins the next call; one that was cancelled is skipped. */
  begin(): Visit | undefined {
    const visit = this.inbox.shift();
    if (!visit) return undefined;
    if (!this.#board.begin(visit.slot, visit.number)) {
      this.reply(visit, KIND.skipped);
      return undefined;
    }
    this.begun.push(visit.value);
    this.running.push(visit);
    return visit;
  }

  beginAll(): void {
    while (this.inbox.length > 0) this.begin();
  }

  reply(visit: Visit, kind: Kind, value?: unknown, flags = 0): void {
    const open = kind === KIND.chunk || kind === KIND.progress;
    if (!open) this.running = this.running.filter((other) => other !== visit);
    const payload = value === undefined ? undefined : payloadOf(value);
    this.#link.reply(kind, visit, payload, flags);
    this.#link.flush();
  }

  /** A reply whose body is no value. */
  garble(visit: Visit, kind: Kind): void {
    const { frame } = payloadOf(0);
    frame[frame.byteLength - 1] = 0xc1;
    this.#link.reply(kind, visit, { frame, flags: 0, attachments: [] });
    this.#link.flush();
  }

  /** Answers all that run, and begins and answers all that wait. */
  finish(): void {
    for (;;) {
      this.beginAll();
      const [visit] = this.running;
      if (!visit) return;
      this.reply(visit, KIND.result, visit.value);
    }
  }
}
