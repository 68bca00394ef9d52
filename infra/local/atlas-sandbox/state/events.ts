import type { Generator } from '../generator.ts';
import { type Caller, usernameOf } from './api-keys.ts';

/** Something that happened, as the activity feeds tell it. */
export interface Event {
  readonly id: string;
  readonly createdAt: Date;
  readonly eventTypeName: string;
  /** Set where the organization's feed tells it. */
  readonly orgId?: string;
  /** Set where a project's feed tells it. */
  readonly groupId?: string;
  /** Whose call it was: a client id or a public key. Missing where Atlas itself did it. */
  readonly by?: Caller;
  /** What the event is about: `alertId`, `clusterName`, `targetUsername` and the like. */
  readonly details: Readonly<Record<string, unknown>>;
}

type Recorded = Pick<Event, 'eventTypeName'> &
  Partial<Pick<Event, 'orgId' | 'groupId' | 'by' | 'details' | 'createdAt'>>;

export interface EventFilter {
  /** Only these types. */
  readonly types?: readonly string[];
  readonly excludedTypes?: readonly string[];
  readonly clusterNames?: readonly string[];
  /** From then on, that moment included. */
  readonly from?: Date;
  /** Until then, that moment included. */
  readonly until?: Date;
}

/** The activity feeds of all organizations and projects. */
export class Events {
  /** Records what the clock alone has brought about since; runs before every read. */
  catchUp: () => void = () => {};
  readonly #feeds = new Map<string, Event[]>();
  readonly #time: { now(): Date };
  readonly #generator: Generator;

  /** What a picture of this state holds. */
  get collections() {
    return { feeds: this.#feeds };
  }

  constructor(time: { now(): Date }, generator: Generator) {
    this.#time = time;
    this.#generator = generator;
  }

  /** Tells an event in the feed of its project, of its organization, or of both: wherever it has an id of. */
  record({ details = {}, createdAt = this.#time.now(), ...recorded }: Recorded): Event {
    const event: Event = { id: this.#generator.hex(24), createdAt, details, ...recorded };
    for (const id of [event.orgId, event.groupId]) {
      if (id === undefined) continue;
      const feed = this.#feeds.get(id) ?? [];
      const at = feed.findLastIndex((earlier) => earlier.createdAt <= createdAt);
      feed.splice(at + 1, 0, event);
      this.#feeds.set(id, feed);
    }
    return event;
  }

  /** The feed of an organization or a project, newest first. */
  feed(id: string, { types, excludedTypes = [], clusterNames, from, until }: EventFilter = {}): Event[] {
    this.catchUp();
    return (this.#feeds.get(id) ?? [])
      .filter(
        ({ eventTypeName, createdAt, details }) =>
          (!types || types.includes(eventTypeName)) &&
          !excludedTypes.includes(eventTypeName) &&
          (!clusterNames || clusterNames.some((name) => name === details['clusterName'])) &&
          (!from || createdAt >= from) &&
          (!until || createdAt <= until),
      )
      .reverse();
  }

  /** An event in the feed of an organization or a project. */
  find(feedId: string, id: string): Event | undefined {
    this.catchUp();
    return this.#feeds.get(feedId)?.find((event) => event.id === id);
  }
}

/** The part of an event that says who caused it; service accounts have no attribute of their own in it. */
export function actorOf({ by }: Event): object {
  if (!by) return {};
  const remoteAddress = '127.0.0.1';
  return 'publicKey' in by
    ? { apiKeyId: by.id, publicKey: by.publicKey, remoteAddress }
    : { publicKey: usernameOf(by), remoteAddress };
}
