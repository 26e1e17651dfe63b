/** The thread's side of `ctx`: what a script asks of the world outside its VM. */
import process from 'node:process';

import type { PluginContext } from '../../plugin.ts';
import { toWireError } from '../../protocol/wire-error.ts';
import type { Asks } from './asks.ts';
import type { Crossing, HostFunction } from './crossing.ts';
import { Task, type TaskBounds } from './task.ts';

type ServiceName = 'start' | 'open' | 'shut' | 'log' | 'listen' | 'unlisten' | 'uuid' | 'exit';

interface CallOptions {
  timeoutMs?: number;
  idempotent?: boolean;
}

/** Streams that a script has open at once. */
const STREAMS_MAX = 1_024;

export class Services {
  readonly functions: Readonly<Record<ServiceName, HostFunction>>;
  readonly #context: PluginContext;
  readonly #asks: Asks;
  readonly #bounds: TaskBounds;
  readonly #streams = new Map<number, { iterator: AsyncIterator<unknown>; opener: Task }>();
  readonly #listeners = new Map<number, () => void>();

  constructor(context: PluginContext, asks: Asks, bounds: TaskBounds) {
    this.#context = context;
    this.#asks = asks;
    this.#bounds = bounds;
    this.functions = {
      start: (op, service, text) => {
        this.#start(Number(op), String(service), text);
        return undefined;
      },
      open: (stream, service, text) =>
        failing(asks, () => {
          this.#open(Number(stream), String(service), this.#args(text));
        }),
      shut: (stream) => {
        this.#shut(Number(stream));
        return undefined;
      },
      log: (level, message, text) => {
        this.#log(String(level), String(message), text);
        return undefined;
      },
      listen: (target, topic) => {
        this.#listen(Number(target), String(topic));
        return undefined;
      },
      unlisten: (target) => {
        this.#listeners.get(Number(target))?.();
        this.#listeners.delete(Number(target));
        return undefined;
      },
      uuid: () => process.getBuiltinModule('node:crypto').randomUUID(),
      exit: (text) => {
        const [reason] = this.#args(text);
        const known = reason === 'shutdown' || reason instanceof Error;
        return context.exit(known ? reason : 'normal');
      },
    };
  }

  /** The heap that listened and read is not the one that runs from now on. */
  letGo(): void {
    for (const off of this.#listeners.values()) off();
    this.#listeners.clear();
    for (const stream of this.#streams.keys()) this.#shut(stream);
  }

  /** What a task waits for, it waits for in vain: it is told so at once. */
  fail(task: Task, error: Error): void {
    // what it begins while it cleans up is not meant
    const ops = Array.from(task.ops);
    for (const op of ops) this.#settle(task, op, 'fail', toWireError(error));
  }

  /** Of a task that was stopped nobody waits for anything: what it waited for, by number. */
  abandon(task: Task): number[] {
    for (const [stream, { opener }] of this.#streams) if (opener === task) this.#shut(stream);
    const ops = [...task.ops];
    task.ops.clear();
    return ops;
  }

  #args(text: Crossing): unknown[] {
    const args = this.#asks.codec.decode(String(text));
    return Array.isArray(args) ? args : [];
  }

  #start(op: number, service: string, text: Crossing): void {
    const task = this.#asks.vm.task ?? this.#newTask();
    task.ops.add(op);
    this.#serve(task, op, service, text).then(
      (value) => {
        this.#settle(task, op, 'settle', value);
      },
      (error: unknown) => {
        this.#settle(task, op, 'fail', toWireError(error));
      },
    );
  }

  #settle(task: Task, op: number, how: 'settle' | 'fail', value: unknown): void {
    // it was given up meanwhile
    if (!task.ops.delete(op) || task.stopped) return;
    const tell = (what: string, told: unknown): void => {
      this.#asks.tell(task, what, op, this.#asks.codec.encode(told));
    };
    try {
      tell(how, value);
    } catch (error) {
      // it cannot be sent, or does not fit into the VM
      tell('fail', toWireError(error));
    }
  }

  /** Async, so that whatever is wrong with the arguments rejects. */
  async #serve(task: Task, op: number, service: string, text: Crossing): Promise<unknown> {
    const [first, second, third] = this.#args(text);
    const { state, events } = this.#context;
    switch (service) {
      case 'call':
        return this.#context.call(nameOf(first), second, this.#optionsOf(task, third));
      case 'next':
        return this.#next(Number(first));
      case 'state.get':
        return state.get(nameOf(first));
      case 'state.set':
        return state.set(nameOf(first), second);
      case 'state.delete':
        return state.delete(nameOf(first));
      case 'state.keys':
        return state.keys();
      case 'state.update':
        return state.update(nameOf(first), (current) => this.#applied(task, op, current));
      case 'events.emit':
        return events.emit(nameOf(first), second);
      case 'lock': {
        const run = async (): Promise<void> => {
          await this.#asks.ask(task, 'apply', op);
        };
        return this.#context.lock(nameOf(first), run, optionsOf(second));
      }
      default:
        throw new TypeError(`there is no ${service}`);
    }
  }

  #open(stream: number, service: string, [first, second, third]: unknown[]): void {
    if (this.#streams.size >= STREAMS_MAX) {
      throw new RangeError(`more than ${String(STREAMS_MAX)} streams are open at once`);
    }
    const task = this.#asks.vm.task ?? this.#newTask();
    const source =
      service === 'state.watch'
        ? this.#context.state.watch(nameOf(first))
        : this.#context.stream(nameOf(first), second, this.#optionsOf(task, third));
    this.#streams.set(stream, { iterator: source[Symbol.asyncIterator](), opener: task });
  }

  /** A chunk in an array, or nothing at the end. */
  async #next(stream: number): Promise<[unknown] | undefined> {
    try {
      const step = await this.#streams.get(stream)?.iterator.next();
      if (step && step.done !== true) return [step.value];
    } catch (error) {
      this.#streams.delete(stream);
      throw error;
    }
    this.#streams.delete(stream);
    return undefined;
  }

  #shut(stream: number): void {
    const { iterator } = this.#streams.get(stream) ?? {};
    this.#streams.delete(stream);
    // how it takes that is nobody's business any more
    iterator?.return?.().catch(() => undefined);
  }

  #listen(target: number, topic: string): void {
    const off = this.#context.events.on(topic, (event) => {
      if (this.#listeners.has(target)) this.#hear(target, event);
    });
    this.#listeners.set(target, off);
  }

  #hear(target: number, event: unknown): void {
    const answer = this.#asks.ask(this.#newTask(), 'apply', target, this.#asks.codec.encode(event));
    // a listener that throws, or rejects, is the plugin's uncaught error
    if (answer instanceof Promise) void answer;
  }

  /** A function of the script's, asked for what it makes of a value, at once. */
  #applied(task: Task, op: number, current: unknown): unknown {
    const text = this.#asks.codec.encode(current);
    const answer = this.#asks.ask(task, 'apply', op, text);
    if ('value' in answer) return answer.value;
    if (answer instanceof Promise) answer.catch(() => undefined);
    throw new TypeError('the function given to state.update must not be async');
  }

  #log(level: string, message: string, text: Crossing): void {
    const { log } = this.#context;
    const [fields] = this.#args(text) as [Record<string, unknown> | undefined];
    if (level === 'debug' || level === 'warn' || level === 'error') log[level](message, fields);
    else log.info(message, fields);
  }

  /** An aborted task may still clean up; all else ends with its call. */
  #optionsOf(task: Task, given: unknown): CallOptions & { signal?: AbortSignal } {
    const options = optionsOf(given);
    return task.call && !task.isAborted ? { ...options, signal: task.call.signal } : options;
  }

  #newTask(): Task {
    return new Task(this.#bounds);
  }
}

/** Runs what the VM asked for, and returns the text of its error, if there was one. */
export function failing(asks: Asks, work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return asks.codec.encode(toWireError(error));
  }
}

function nameOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`a name must be a string, not ${typeof value}`);
}

function optionsOf(given: unknown): CallOptions {
  const { timeoutMs, idempotent } = (given ?? {}) as Record<string, unknown>;
  return {
    ...(typeof timeoutMs === 'number' ? { timeoutMs } : {}),
    ...(typeof idempotent === 'boolean' ? { idempotent } : {}),
  };
}
