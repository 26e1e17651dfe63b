/** A program that listens, and throws each time it hears something: that harms nobody. */
import type { PluginManager } from 'troupe';

export class BadListener {
  /** What plugins emitted, in the order it was heard. */
  readonly news: unknown[] = [];
  /** How often it threw. */
  thrown = 0;

  constructor(manager: PluginManager) {
    manager.on('progress', () => {
      this.#throw();
    });
    manager.context.events.on('news', ({ data }) => {
      this.news.push(data);
      this.#throw();
    });
  }

  #throw(): never {
    this.thrown++;
    throw new Error('a bad listener');
  }
}
