/** A dispatcher whose plugin runs, with an actor that a test plays. */
import { vi } from 'vitest';

import { PluginError } from '../../src/protocol/errors.ts';
import type { DeadLetter } from '../../src/protocol/report.ts';
import type { Call } from '../../src/supervisor/call.ts';
import { Dispatcher } from '../../src/supervisor/dispatcher.ts';
import { FakeActor, type Visit } from './fake-actor.ts';
import { planFor, type PlanFields } from './plan.ts';
import { requestOf, type Asked, type Recorder } from './recorder.ts';
import { turns } from './turns.ts';

export const CRASH = new PluginError('PLUGIN_CRASHED', 'p crashed', { data: { reason: 'exit' } });
export const STOPPED = new PluginError('PLUGIN_STOPPED', 'p was stopped');

export function runningPlugin(fields: PlanFields = {}) {
  const hang = vi.fn<(call: Call) => void>();
  const deadLetter = vi.fn<(letter: DeadLetter) => void>();
  const dispatcher = new Dispatcher(planFor('p', fields), { hang, deadLetter });
  const actor = new FakeActor(1);
  dispatcher.connect(actor.target);
  dispatcher.setFlowing(true);

  const ask = (value: unknown, request: Asked = {}): Recorder => {
    const asked = requestOf(value, request);
    dispatcher.accept(asked);
    return asked.receiver;
  };
  /** Asks, and lets the actor begin it. */
  const begin = async (value: unknown, request: Asked = {}) => {
    const receiver = ask(value, request);
    await turns();
    const visit: Visit | undefined = actor.begin();
    if (!visit) throw new Error('the call did not begin');
    return { receiver, visit };
  };
  /** Its life ends; the next one takes over. */
  const crash = (how: 'crashed' | 'aborted' = 'crashed', error = CRASH): FakeActor => {
    dispatcher.disconnect(error, how);
    const next = new FakeActor(2);
    dispatcher.connect(next.target);
    dispatcher.setFlowing(true);
    return next;
  };
  return { dispatcher, actor, ask, begin, crash, hang, deadLetter };
}

/** What was accepted is somewhere: settled, at the actor or in the mailbox. */
export function accountOf({ meter, inFlight, queued }: Dispatcher): { in: number; out: number } {
  const { started, succeeded, failed, timedOut, aborted, crashed } = meter;
  return {
    in: started,
    out: succeeded + failed + timedOut + aborted + crashed + inFlight + queued,
  };
}
