/** Events between plugins, and between them and the embedding program: by topic, at most once. */
import type { BusEvent } from '../protocol/report.ts';
import { Listeners } from './listeners.ts';

type Subscriber = (event: BusEvent) => void;

const EVERY_TOPIC = '*';

export class EventHub {
  readonly #subscribers = new Listeners<string, Subscriber>();

  emit(event: BusEvent): void {
    const topics = event.topic === EVERY_TOPIC ? [EVERY_TOPIC] : [event.topic, EVERY_TOPIC];
    for (const subscriber of topics.flatMap((topic) => this.#subscribers.of(topic))) {
      subscriber(event);
    }
  }

  /** Returns what ends the subscription. `*` hears every topic. */
  subscribe(topic: string, subscriber: Subscriber): () => void {
    return this.#subscribers.add(topic, subscriber);
  }
}
