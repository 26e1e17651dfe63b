/** What a test sees of the assistant without asking it: its shared memory, and how to let it go on. */
import type { PluginManager } from 'troupe';

import { eventually } from './eventually.ts';
import { wordsOf } from './words.ts';

const BEGUN = 0;
const TURNS = 1;
const DEATHS = 2;
const TOLD = 3;

export interface AssistantBoard {
  /** Commands begun, by all lives. */
  begun(): number;
  /** Turns of its loops. */
  turns(): number;
  deaths(): number;
  /** Settles once that many commands have begun. */
  hasBegun(commands: number): Promise<void>;
  /** Settles once its loop has turned since. */
  isTurning(): Promise<void>;
  /** Ends the commands that loop until they are told, now and from now on. */
  tell(): void;
  /** Lets the command `hold` answer with `answer`, now and from now on. */
  release(answer?: unknown, key?: string): Promise<void>;
}

export async function boardOf(manager: PluginManager): Promise<AssistantBoard> {
  const words = await wordsOf(manager, 'assistant', 4);
  const read = (word: number) => (): number => words.load(word);
  const [begun, turns, deaths] = [read(BEGUN), read(TURNS), read(DEATHS)];
  return {
    begun,
    turns,
    deaths,
    hasBegun: (commands) => atLeast(begun, commands),
    isTurning: () => atLeast(turns, turns() + 1),
    tell: () => {
      words.add(TOLD, 1);
    },
    release: (answer = 'released', key = 'go') => manager.context.state.set(key, answer),
  };
}

function atLeast(value: () => number, least: number): Promise<void> {
  return eventually(() => {
    if (value() < least) throw new Error(`the assistant is at ${value()}, not ${least}`);
  });
}
