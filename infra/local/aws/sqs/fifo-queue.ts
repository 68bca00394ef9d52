import { createHash } from 'node:crypto';
import type { Clock } from '../../../../lib/runtime/clock.ts';
import { type Durable, forgetful, type Shelf } from '../../durable/durable.ts';
import type { SeededIds } from '../seeded-ids.ts';

/** A message as the queue keeps it. Times are in milliseconds since 1970. */
export interface Message {
  readonly id: string;
  readonly body: string;
  readonly group: string;
  readonly deduplicationId: string;
  readonly sequence: number;
  readonly sentAt: number;
  /** How often it was handed out. */
  receives: number;
  firstReceivedAt?: number;
  /** Names the last time it was handed out. */
  receipt?: string;
  /** Handed out until then. */
  invisibleUntil: number;
}

export interface QueueSettings {
  /** How long a message that was handed out stays out of sight. */
  readonly visibilityMs: number;
  /** Where a message goes that was handed out `maxReceives` times and would be handed out again. */
  readonly redrive?: { readonly to: FifoQueue; readonly maxReceives: number };
  /** Whether messages of different groups may have the same deduplication id; not so unless given. */
  readonly deduplicatePerGroup?: boolean;
  /** Whether a message without a deduplication id gets one from its body. */
  readonly contentBased?: boolean;
}

interface Environment {
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: SeededIds;
  readonly durable?: Durable | undefined;
}

/** What a deduplication id stands for, and until when. */
interface Seen {
  readonly message: Message;
  readonly until: number;
}

/** How long SQS remembers a deduplication id, whatever becomes of the message. */
const DEDUPLICATION_MS = 5 * 60_000;

/** The longest a message stays, unless the queue says otherwise: SQS's own default. */
const RETENTION_MS = 4 * 86_400_000;

/** Sorts as the sequence does. */
const keyOf = ({ sequence }: Message): string => String(sequence).padStart(20, '0');

/**
 * One SQS FIFO queue. Groups are independent of each other; while a message of a group is out, no other of that group
 * is handed out, and what comes back takes its old place.
 * Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues-understanding-logic.html
 */
export class FifoQueue {
  readonly name: string;
  readonly arn: string;
  settings: QueueSettings;
  readonly #environment: Environment;
  readonly #groups = new Map<string, Message[]>();
  readonly #seen = new Map<string, Seen>();
  /** Messages by every receipt they were handed out with, for as long as they are in the queue. */
  readonly #receipts = new Map<string, Message>();
  readonly #kept: Shelf<Message>;
  readonly #keptSeen: Shelf<Seen>;
  #sequence = 0;
  #size = 0;

  constructor(name: string, arn: string, settings: QueueSettings, environment: Environment) {
    this.name = name;
    this.arn = arn;
    this.settings = settings;
    this.#environment = environment;
    const { durable = forgetful } = environment;
    this.#kept = durable.shelf(name);
    this.#keptSeen = durable.shelf(`${name} seen`);
    this.#restore();
  }

  /** Every message that is in the queue, handed out or not, in the order of sending. */
  get messages(): readonly Message[] {
    return [...this.#groups.values()].flat().toSorted((a, b) => a.sequence - b.sequence);
  }

  /** How many messages are in the queue, handed out or not. */
  get size(): number {
    return this.#size;
  }

  get now(): number {
    return this.#environment.clock.now().getTime();
  }

  isOut = (message: Message): boolean => message.invisibleUntil > this.now;

  /** The message that was sent, or the one that was sent with this deduplication id before. */
  send(sent: {
    readonly body: string;
    readonly group: string;
    readonly deduplicationId?: string | undefined;
  }): Message {
    const { now } = this;
    const { body, group, deduplicationId = createHash('sha256').update(sent.body).digest('hex') } = sent;
    const key = this.settings.deduplicatePerGroup ? `${group} ${deduplicationId}` : deduplicationId;
    for (const [old, { until }] of this.#seen) {
      // In the order in which they were remembered, so the first one that lasts ends it.
      if (until > now) break;
      this.#seen.delete(old);
      this.#keptSeen.remove(old);
    }
    const before = this.#seen.get(key);
    if (before) return before.message;
    const id = this.#environment.ids.uuid();
    const sequence = ++this.#sequence;
    const message: Message = {
      id,
      body,
      group,
      deduplicationId,
      sequence,
      sentAt: now,
      receives: 0,
      invisibleUntil: 0,
    };
    const seen = { message, until: now + DEDUPLICATION_MS };
    this.#seen.set(key, seen);
    this.#keptSeen.put(key, seen);
    this.#put(message);
    return message;
  }

  /** Takes in what another queue gave up; it is not compared with what was sent. */
  takeIn(message: Message): void {
    const { id, body, group, deduplicationId, sentAt } = message;
    const sequence = ++this.#sequence;
    // How often it was handed out goes with it.
    this.#put({
      id,
      body,
      group,
      deduplicationId,
      sentAt,
      sequence,
      receives: message.receives,
      invisibleUntil: 0,
    });
  }

  /** Hands out up to `most` messages: as many of one group as there are, then of the next. */
  receive(most: number, visibilityMs = this.settings.visibilityMs): Message[] {
    const { now } = this;
    const handedOut: Message[] = [];
    for (const messages of this.#groups.values()) {
      if (handedOut.length >= most) break;
      // What is out is in front.
      if (messages.some(({ invisibleUntil }) => invisibleUntil > now)) continue;
      for (const message of [...messages]) {
        if (handedOut.length >= most) break;
        const { redrive } = this.settings;
        if (message.sentAt + RETENTION_MS <= now) {
          this.#take(message);
          continue;
        }
        if (redrive && message.receives >= redrive.maxReceives) {
          this.#take(message);
          redrive.to.takeIn(message);
          continue;
        }
        message.receives++;
        message.firstReceivedAt ??= now;
        message.receipt = this.#environment.ids.uuid();
        message.invisibleUntil = now + visibilityMs;
        this.#receipts.set(message.receipt, message);
        this.#kept.put(keyOf(message), message);
        handedOut.push(message);
      }
    }
    return handedOut;
  }

  /** Takes a message out for good. False where it came back in the meantime: it may be in other hands. */
  remove(receipt: string): boolean {
    const message = this.#receipts.get(receipt);
    if (!message) return true;
    if (!this.#isHeldBy(receipt, message)) return false;
    this.#take(message);
    return true;
  }

  /** Changes until when a message is out of sight. False where it is out no longer. */
  changeVisibility(receipt: string, visibilityMs: number): boolean {
    const message = this.#receipts.get(receipt);
    if (!message || !this.#isHeldBy(receipt, message)) return false;
    message.invisibleUntil = this.now + visibilityMs;
    this.#kept.put(keyOf(message), message);
    return true;
  }

  purge(): void {
    for (const message of this.messages) this.#kept.remove(keyOf(message));
    this.#groups.clear();
    this.#receipts.clear();
    this.#size = 0;
  }

  #isHeldBy = (receipt: string, message: Message): boolean => message.receipt === receipt && this.isOut(message);

  /**
   * Takes back what was handed out to somebody who is known to be gone: it can be handed out at once, and that time is
   * not counted.
   */
  takeBack(): void {
    for (const message of this.messages) {
      if (!this.isOut(message)) continue;
      message.invisibleUntil = 0;
      message.receives--;
      this.#kept.put(keyOf(message), message);
    }
  }

  #restore(): void {
    for (const [, message] of this.#kept.kept()) {
      this.#sequence = Math.max(this.#sequence, message.sequence);
      if (message.receipt !== undefined) this.#receipts.set(message.receipt, message);
      this.#hold(message);
    }
    const seen = [...this.#keptSeen.kept()].toSorted(([, a], [, b]) => a.until - b.until);
    for (const [key, value] of seen) {
      this.#sequence = Math.max(this.#sequence, value.message.sequence);
      this.#seen.set(key, value);
    }
  }

  #put(message: Message): void {
    this.#kept.put(keyOf(message), message);
    this.#hold(message);
  }

  #hold(message: Message): void {
    this.#size++;
    const group = this.#groups.get(message.group);
    if (group) group.push(message);
    else this.#groups.set(message.group, [message]);
  }

  #take(message: Message): void {
    const group = this.#groups.get(message.group) ?? [];
    const at = group.indexOf(message);
    if (at >= 0) {
      group.splice(at, 1);
      this.#size--;
      this.#kept.remove(keyOf(message));
    }
    if (group.length === 0) this.#groups.delete(message.group);
    if (message.receipt !== undefined) this.#receipts.delete(message.receipt);
  }
}
