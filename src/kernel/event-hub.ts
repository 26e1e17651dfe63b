/** Events between plugins, and between them and the embedding program: by topic, at most once. */
import type { BusEvent } from '../protocol/report.ts';

type Subscriber = (event: BusEvent) => void;

const EVERY_TOPIC = '*';

export class EventHub {
  readonly #subscribers = new Map<string, Set<Subscriber>>();

  emit(event: BusEvent): void {
    const topics = event.topic === EVERY_TOPIC ? [EVERY_TOPIC] : [event.topic, EVERY_TOPIC];
    for (const topic of topics) {
      for (const subscriber of this.#subscribers.get(topic) ?? []) subscriber(event);
    }
  }

  /** Returns what ends the subscription. `*` hears every topic. */
  subscribe(topic: string, subscriber: Subscriber): () => void {
    const subscribers = this.#subscribers.get(topic) ?? new Set();
    this.#subscribers.set(topic, subscribers);
    subscribers.add(subscriber);
    return () => {
      subscribers.delete(subscriber);
      if (subscribers.size === 0) this.#subscribers.delete(topic);
    };
  }
}
