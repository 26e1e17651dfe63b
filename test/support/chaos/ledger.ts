/** Every call of a chaos run: how often it settled, how, and whether it may have ended so. */
import { PluginError, type PluginManager } from 'troupe';

import type { Member } from './cast.ts';
import type { Ending, Errand } from './errand.ts';

/** What may happen to any call, as its plugin may end at any time. */
const ANY_TIME: ReadonlySet<Ending> = new Set([
  'NOT_RUNNING',
  'PLUGIN_STOPPED',
  'PLUGIN_CRASHED',
  'MAILBOX_FULL',
]);

/** How the calls to one plugin ended, in the words of its stats. */
export interface Account {
  started: number;
  succeeded: number;
  failed: number;
  timedOut: number;
  aborted: number;
  crashed: number;
  /** Broken off by their readers: succeeded or aborted, who came first. */
  loose: number;
  deadLetters: number;
}

interface Entry {
  step: number;
  member: Member;
  errand: Errand;
  settled: number;
  ending: Ending;
  error: unknown;
}

export class Ledger {
  readonly problems: string[] = [];
  /** How often each ending was seen. */
  readonly endings = new Map<string, number>();
  readonly #manager: PluginManager;
  readonly #entries: Entry[] = [];
  #open = 0;
  #wake: (() => void) | undefined;

  constructor(manager: PluginManager) {
    this.#manager = manager;
  }

  get open(): number {
    return this.#open;
  }

  /** Settles with the next call that does, or when the time is up (ms). */
  async nextSettled(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, withinMs);
    });
    clearTimeout(timer);
  }

  make(step: number, member: Member, errand: Errand): void {
    const entry: Entry = { step, member, errand, settled: 0, ending: 'open', error: undefined };
    this.#entries.push(entry);
    this.#open++;
    const settle = (ending: Ending, error?: unknown): void => {
      this.#settle(entry, ending, error);
    };
    const work = errand.read
      ? this.#read(member, errand, errand.read)
      : this.#execute(member, errand);
    // both are heard, so that a call that settled twice would be seen
    work.then(settle, (error: unknown) => {
      settle(error instanceof PluginError ? error.code : `no PluginError: ${String(error)}`, error);
    });
  }

  /** What a plugin's stats should say, as far as the program itself called it. */
  accountOf(member: Member): Account {
    const account: Account = {
      started: 0,
      succeeded: 0,
      failed: 0,
      timedOut: 0,
      aborted: 0,
      crashed: 0,
      loose: 0,
      deadLetters: 0,
    };
    for (const entry of this.#entries) {
      if (entry.member !== member || !wasAccepted(entry)) continue;
      account.started++;
      account[endOf(entry)]++;
      if (dataOf(entry.error)['deadLetter'] === true) account.deadLetters++;
    }
    return account;
  }

  /** The lives that calls were told to have died with. */
  *crashes(): Iterable<{ id: string; generation: unknown; where: string }> {
    for (const entry of this.#entries) {
      if (entry.ending !== 'PLUGIN_CRASHED') continue;
      const { generation } = dataOf(entry.error);
      yield { id: entry.member.id, generation, where: inWords(entry) };
    }
  }

  /** Calls that count their runs in the shared state, and how often each may have run. */
  *counted(): Iterable<{ key: string; min: number; max: number; where: string }> {
    for (const entry of this.#entries) {
      const { countedIn, options } = entry.errand;
      if (countedIn === undefined) continue;
      const isAnswered = entry.ending === 'ok';
      const max = wasAccepted(entry) ? (options.idempotent ? 2 : 1) : 0;
      yield { key: countedIn, min: isAnswered ? 1 : 0, max, where: inWords(entry) };
    }
  }

  /** Those that did what they were asked for. */
  *answered(deed: string): Iterable<{ step: number; where: string }> {
    for (const entry of this.#entries) {
      if (entry.errand.deed !== deed || entry.ending !== 'ok') continue;
      yield { step: entry.step, where: inWords(entry) };
    }
  }

  /** Those that never settled, or did so twice. */
  unsettled(): string[] {
    return this.#entries
      .filter(({ settled }) => settled !== 1)
      .map((entry) => `${inWords(entry)} settled ${String(entry.settled)} times`);
  }

  async #execute(
    { id }: Member,
    { input, options, abortAfterMs, isRight }: Errand,
  ): Promise<Ending> {
    const call = this.#manager.execute(id, input, { ...options, ...abortAfter(abortAfterMs) });
    return isRight(await call) ? 'ok' : 'a wrong result';
  }

  async #read(
    { id }: Member,
    { input, options }: Errand,
    { chunks, breakAfter }: NonNullable<Errand['read']>,
  ): Promise<Ending> {
    let read = 0;
    for await (const chunk of this.#manager.stream(id, input, options)) {
      if (chunk !== read) return `chunk ${String(chunk)} in the place of ${String(read)}`;
      read++;
      if (read === breakAfter) return 'broken off';
    }
    return read === chunks ? 'ok' : `an end after ${String(read)} of ${String(chunks)} chunks`;
  }

  #settle(entry: Entry, ending: Ending, error: unknown): void {
    entry.settled++;
    if (entry.settled > 1) return;
    this.#open--;
    entry.ending = ending;
    entry.error = error;
    this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1);
    if (!mayEndSo(entry)) {
      this.problems.push(`${inWords(entry)} ended with ${ending}: ${String(error)}`);
    }
    this.#wake?.();
  }
}

function abortAfter(abortAfterMs: number | undefined): { signal?: AbortSignal } {
  if (abortAfterMs === undefined) return {};
  return { signal: abortAfterMs === 0 ? AbortSignal.abort() : AbortSignal.timeout(abortAfterMs) };
}

function mayEndSo({ errand, ending, error }: Entry): boolean {
  if (errand.ends.includes(ending)) return true;
  if (errand.refused) return false;
  if (ending === 'broken off') return errand.read !== undefined;
  // its plugin left too many threads behind that are blocked in the system
  if (ending === 'LOAD_FAILED') return dataOf(error)['zombies'] !== undefined;
  return ANY_TIME.has(ending);
}

function wasAccepted({ errand, ending }: Entry): boolean {
  return !errand.refused && ending !== 'NOT_RUNNING' && ending !== 'MAILBOX_FULL';
}

function endOf({ ending, error }: Entry): Exclude<keyof Account, 'started' | 'deadLetters'> {
  switch (ending) {
    case 'ok':
      return 'succeeded';
    case 'broken off':
      return 'loose';
    case 'CALL_FAILED':
    case 'PAYLOAD_INVALID':
    case 'PAYLOAD_TOO_LARGE':
      return 'failed';
    case 'CALL_TIMEOUT':
      return 'timedOut';
    case 'PLUGIN_CRASHED':
      // one that only waited was never delivered
      return dataOf(error)['deliveries'] === undefined ? 'aborted' : 'crashed';
    default:
      return 'aborted';
  }
}

function dataOf(error: unknown): Record<string, unknown> {
  return error instanceof PluginError ? error.data : {};
}

function inWords({ step, member, errand }: Entry): string {
  return `step ${String(step)}: '${errand.deed}' to ${member.id}`;
}
