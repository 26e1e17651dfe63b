/** Parts of a memory for unit tests: entries as they are, and a keeper that a test plays. */
import * as orama from '@orama/orama';
import * as trees from '@orama/orama/trees';

import { Entries, type Change, type EntriesOptions } from '../../plugins/memory/entries.ts';
import { itemOf, type Item } from '../../plugins/memory/item.ts';
import type { Keeper } from '../../plugins/memory/keeper.ts';
import { Writer } from '../../plugins/memory/writer.ts';

export const HALF_LIFE_MS = 1_000;

export function entriesOf(options: Partial<EntriesOptions> = {}): Entries {
  return new Entries({
    libraries: { orama, trees },
    stemming: false,
    maxEntries: 1_000,
    maxEntriesPerNamespace: 1_000,
    ...options,
  });
}

/** An item whose text is its id. */
export function item(
  id: string,
  { importance = 0.5, updatedAt = 0, namespace = 'default' }: Partial<Item['entry']> = {},
): Item {
  const entry = { id, namespace, text: id, importance, metadata: {}, createdAt: 0, updatedAt };
  return itemOf(entry, undefined, HALF_LIFE_MS);
}

export function put(each: Item): Change {
  return { kind: 'put', item: each };
}

export function drop(each: Item): Change {
  return { kind: 'drop', item: each };
}

export function idsOf(entries: Entries): string[] {
  return Array.from(entries.all(), ({ entry }) => entry.id).toSorted();
}

/** What a storage would have, its commits, and how it fails. */
export class FakeKeeper implements Keeper {
  readonly stored = new Map<string, string>();
  /** As `+id` and `-id`. */
  readonly commits: string[][] = [];
  /** Called before each commit; throws to fail. */
  before: (changes: readonly string[]) => unknown = () => undefined;
  /** It does what it fails to acknowledge. */
  losesAnswers = false;

  async commit(changes: readonly Change[]): Promise<void> {
    const said = changes.map(
      ({ kind, item: { entry } }) => `${kind === 'put' ? '+' : '-'}${entry.id}`,
    );
    this.commits.push(said);
    if (this.losesAnswers) this.#apply(changes);
    await this.before(said);
    this.#apply(changes);
  }

  async *scan(): AsyncIterable<unknown> {}

  count(): Promise<number> {
    return Promise.resolve(0);
  }

  #apply(changes: readonly Change[]): void {
    for (const {
      kind,
      item: { entry },
    } of changes) {
      if (kind === 'put') this.stored.set(entry.id, entry.text);
      else this.stored.delete(entry.id);
    }
  }
}

export function writing(options: Partial<EntriesOptions> = {}) {
  const entries = entriesOf(options);
  const keeper = new FakeKeeper();
  const tally = { evicted: 0, expired: 0, unreadable: 0 };
  const writer = new Writer({ entries, keeper, tally });
  const add = (...items: Item[]): Promise<unknown> =>
    writer.write(() => ({ changes: items.map(put), result: undefined }));
  return { entries, keeper, tally, writer, add };
}
