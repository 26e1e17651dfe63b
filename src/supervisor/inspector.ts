/**
 * Looks into threads through Node's own inspector, which answers while a thread is inside a loop:
 * one session of this process, there from the first time that somebody needs it. It opens no port,
 * sets nothing on a thread, and other sessions (a debugger's, a profiler's) don't notice it.
 *
 * It stays: to open and to close it speaks to every thread, and one that ends in that moment takes
 * the process with it. For the same reason nothing is asked of a thread that was told to end.
 */
import type { Session } from 'node:inspector';
import { setTimeout as sleep } from 'node:timers/promises';

import { ATTACH_LOOK_MS, INSPECTOR_ANSWER_MS } from '../protocol/limits.ts';
import { TIMED_OUT, within } from './deadline.ts';
import { isEnding, whenNoneEnds } from './ending-threads.ts';

type Answer = Record<string, unknown>;
type Listener = (method: string, params: Answer) => void;

/** One thread's end of the session. */
export interface ThreadInspector {
  /**
   * `undefined`: no answer, or an error.
   *
   * @param timeoutMs default {@link INSPECTOR_ANSWER_MS}.
   */
  ask(method: string, params?: object, timeoutMs?: number): Promise<Answer | undefined>;
  /** Hears what the thread tells by itself. */
  listen(listener: Listener): void;
  close(): void;
}

let office: Promise<Office | undefined> | undefined;

/** Where this Node has no inspector, nothing is ever answered. */
export async function inspectThread(threadId: number): Promise<ThreadInspector> {
  office ??= openOffice();
  const opened = await office;
  let heard: Thread | undefined;
  return {
    // a thread that has just been created is known a little later
    ask: async (method, params, timeoutMs) =>
      opened?.thread(threadId)?.ask(method, params, timeoutMs),
    listen: (listener) => {
      heard = opened?.thread(threadId);
      if (heard) heard.listener = listener;
    },
    close: () => {
      if (heard) heard.listener = undefined;
    },
  };
}

/** For the first question to a thread that may have just been created. */
export async function firstAnswer(
  inspector: ThreadInspector,
  method: string,
): Promise<Answer | undefined> {
  const until = performance.now() + INSPECTOR_ANSWER_MS;
  for (;;) {
    const answer = await inspector.ask(method, {}, until - performance.now());
    if (answer || performance.now() + ATTACH_LOOK_MS >= until) return answer;
    await sleep(ATTACH_LOOK_MS);
  }
}

/** A field of what the inspector said, which is not to be trusted to be there. */
export function fieldOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

async function openOffice(): Promise<Office | undefined> {
  try {
    // a Node built without it throws at the import
    const { Session } = await import('node:inspector');
    await whenNoneEnds();
    return new Office(new Session());
  } catch {
    return undefined;
  }
}

class Office {
  readonly #threads = new Map<number, Thread>();

  constructor(session: Session) {
    session.connect();
    session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      const id = /^\[worker (\d+)\]/.exec(workerInfo.title)?.[1];
      if (id !== undefined) this.#threads.set(Number(id), new Thread(session, sessionId));
    });
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      this.#bySession(params.sessionId)?.[1].hear(params.message);
    });
    session.on('NodeWorker.detachedFromWorker', ({ params }) => {
      const known = this.#bySession(params.sessionId);
      if (known) this.#threads.delete(known[0]);
      known?.[1].gone();
    });
    session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  }

  thread(threadId: number): Thread | undefined {
    return isEnding(threadId) ? undefined : this.#threads.get(threadId);
  }

  #bySession(sessionId: string): [number, Thread] | undefined {
    return [...this.#threads].find(([, thread]) => thread.sessionId === sessionId);
  }
}

class Thread {
  readonly sessionId: string;
  listener: Listener | undefined;
  readonly #session: Session;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #asked = 0;

  constructor(session: Session, sessionId: string) {
    this.#session = session;
    this.sessionId = sessionId;
  }

  async ask(
    method: string,
    params: object = {},
    timeoutMs = INSPECTOR_ANSWER_MS,
  ): Promise<Answer | undefined> {
    const id = ++this.#asked;
    const answered = new Promise<Answer | undefined>((resolve) => {
      this.#waiting.set(id, resolve);
      const message = JSON.stringify({ id, method, params });
      const { sessionId } = this;
      this.#session.post('NodeWorker.sendMessageToWorker', { sessionId, message }, (error) => {
        if (error) resolve(undefined);
      });
    });
    const answer = await within(answered, timeoutMs);
    this.#waiting.delete(id);
    return answer === TIMED_OUT ? undefined : answer;
  }

  hear(message: string): void {
    const { id, method, result, params } = JSON.parse(message) as {
      id?: number;
      method?: string;
      result?: Answer;
      params?: Answer;
    };
    if (id === undefined) this.listener?.(method ?? '', params ?? {});
    else this.#waiting.get(id)?.(result);
  }

  gone(): void {
    for (const settle of this.#waiting.values()) settle(undefined);
    this.#waiting.clear();
  }
}
