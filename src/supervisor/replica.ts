/** One of several actors of a plugin: a supervisor, as its set sees it. */
import type { PluginState } from '../protocol/report.ts';
import type { Call } from './call.ts';
import { isAwaitedBy } from './cycle.ts';
import type { Dispatcher } from './dispatcher.ts';
import type { Candidate } from './replica-choice.ts';
import type { Supervisor } from './supervisor.ts';

export class Replica implements Candidate {
  /** From 0. */
  readonly replica: number;
  readonly supervisor: Supervisor;

  constructor(replica: number, supervisor: Supervisor) {
    this.replica = replica;
    this.supervisor = supervisor;
  }

  get state(): PluginState {
    return this.supervisor.state;
  }

  get dispatcher(): Dispatcher {
    return this.supervisor.dispatcher;
  }

  get isOpen(): boolean {
    return this.supervisor.calls.accepted;
  }

  get isRunning(): boolean {
    return this.supervisor.calls.flowing;
  }

  get load(): number {
    return this.dispatcher.load;
  }

  /** Calls that it cannot be inside of now. */
  get waiting(): number {
    return this.load - this.dispatcher.concurrency;
  }

  /** Whether a call that waits elsewhere may wait here instead. */
  suits(call: Call): boolean {
    const { dispatcher } = this;
    return dispatcher.hasRoomFor(call) && !isAwaitedBy(dispatcher, call.request.parent);
  }
}
