import { describe, expect, it } from 'vitest';

import { encode } from '../../src/protocol/codec.ts';
import { HEADER_BYTES, KIND, writeHeader } from '../../src/protocol/frame.ts';
import { DEFAULT_LIMITS, RUNTIME_LIMITS } from '../../src/protocol/limits.ts';
import { openLifeLink } from '../../src/supervisor/life-link.ts';
import type { LifeEvents, LifeRequest } from '../../src/supervisor/life.ts';
import type { Obituary } from '../../src/supervisor/obituary.ts';
import { FakeTransport, headerOf } from '../support/frames.ts';

function setUp() {
  const transport = new FakeTransport();
  const heard = { lines: new Array<unknown>(), malformed: new Array<string>() };
  const events: Partial<LifeEvents> = {
    log: (line) => heard.lines.push(line),
    malformed: (what) => heard.malformed.push(what),
  };
  const request = { generation: 1, events } as LifeRequest;
  openLifeLink(transport, request, {} as Obituary, () => undefined);
  return { transport, heard };
}

describe('the supervisor’s end of a link', () => {
  it('takes in a log line as deep as an actor sends one', () => {
    const { transport, heard } = setUp();
    // what a value may be nested at most, and the line around it
    let fields: unknown = 'deep';
    for (let depth = 0; depth < DEFAULT_LIMITS.payloadDepthMax; depth++) fields = [fields];
    const line = { level: 'info', message: 'nested', fields, source: 'log' };
    const { frame } = encode(line, RUNTIME_LIMITS);
    const view = new DataView(frame.buffer, frame.byteOffset);
    writeHeader(view, 0, frame.byteLength - HEADER_BYTES, headerOf({ kind: KIND.log, number: 0 }));
    transport.arrive(frame);
    expect(heard).toEqual({ lines: [line], malformed: [] });
  });
});
