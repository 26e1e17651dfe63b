/** A link whose other side is a test. */
import { FLAG, type FrameReader } from '../../src/protocol/frame.ts';
import { Link, type Exchange, type LinkOptions } from '../../src/transport/link.ts';
import { FakeTransport, frameOf, payloadOf, type ReadFrame } from './frames.ts';

export const CALL = { route: 3, flags: FLAG.idempotent, timeoutMs: 250, parent: -7 };

/** The asking side of a call that keeps what it is told. */
export class Asker implements Exchange {
  readonly heard: ReadFrame[] = [];

  onReply(frame: FrameReader): void {
    this.heard.push(frameOf(frame));
  }

  get values(): unknown[] {
    return this.heard.map(({ value }) => value);
  }
}

export function linkFor(options: Partial<LinkOptions> = {}) {
  const transport = new FakeTransport();
  const frames: ReadFrame[] = [];
  const malformed: string[] = [];
  const link = new Link({
    transport,
    generation: 1,
    slots: 4,
    onFrame: (frame) => frames.push(frameOf(frame)),
    onMalformed: (what) => malformed.push(what),
    onPending: () => undefined,
    ...options,
  });
  const ask = (value: unknown = 'question') => {
    const asker = new Asker();
    return { asker, to: link.call(asker, CALL, payloadOf(value)) };
  };
  return { transport, frames, malformed, link, ask };
}
