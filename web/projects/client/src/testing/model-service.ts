import { FeedRuntime } from '../connection.js';
import { EventId, formatEventId, parseEventId } from '../event-id.js';
import { ConnectionEvent } from '../frames.js';
import { Notification, Protocol } from '../notification.js';
import { notificationAt } from './notifications.js';

interface Client {
  readonly protocol: Protocol;
  readonly onEvent: (event: ConnectionEvent) => void;
  cursor: number;
  /** Sends nothing more, not even a close. */
  dead: boolean;
}

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** A model of the notification service's protocol, with its own clock and injected faults. */
export class ModelService {
  /** Faults of the next frames: one entry a frame. */
  readonly faults: ('lost' | 'malformed')[] = [];
  readonly clients = new Set<Client>();
  up = true;
  readable = true;
  opened: { protocol: Protocol; after: string | null; at: number }[] = [];
  reads = 0;
  clock = 1_000_000;
  epoch = 'a';
  floor = 0;
  /** From one heartbeat to the next, in milliseconds; *saysHeartbeat* is whether the welcome names it. */
  heartbeatMs = 15_000;
  saysHeartbeat = false;
  /** How long ago it read the feed; null while it can. */
  delayedMs: number | null = null;
  log: number[] = [];
  private order = 0;
  private timers: Timer[] = [];

  constructor(private readonly random: () => number) {}

  get head(): EventId {
    return { epoch: this.epoch, seq: this.log.length };
  }

  /** The runtime of one tab. */
  runtime(): FeedRuntime {
    return {
      now: () => this.clock,
      random: this.random,
      later: (delayMs, task) => this.later(delayMs, task),
      open: (protocol, after, onEvent) => this.open(protocol, after, onEvent),
      read: (after, limit) => this.read(after, limit),
    };
  }

  append(count = 1): void {
    for (let each = 0; each < count; each++) this.log.push(++this.order);
    for (const client of this.clients) this.feed(client);
  }

  /** Restores a backup: the newest *lost* notifications are gone and the epoch changes. */
  restore(lost: number): void {
    this.epoch = `${this.epoch}x`;
    this.goBack(lost);
  }

  /** The newest *lost* notifications are gone: others get their ids. */
  goBack(lost: number): void {
    this.log.length = Math.max(0, this.log.length - lost);
    this.cut();
  }

  cut(): void {
    for (const client of [...this.clients]) this.end(client, { type: 'closed', code: 1006 });
  }

  end(client: Client, ...last: readonly ConnectionEvent[]): void {
    this.clients.delete(client);
    for (const event of last) client.onEvent(event);
  }

  silence(): void {
    for (const client of this.clients) client.dead = true;
  }

  /** Advance the clock by *durationMs* and run due timers. */
  async advance(durationMs: number): Promise<void> {
    const end = this.clock + durationMs;
    await settled();
    for (;;) {
      const next = this.timers.filter((each) => each.at <= end).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.timers.splice(this.timers.indexOf(next), 1);
      this.clock = Math.max(this.clock, next.at);
      next.task();
      await settled();
    }
    this.clock = end;
  }

  private later(delayMs: number, task: () => void): () => void {
    const timer = { at: this.clock + delayMs, task };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((each) => each !== timer);
    };
  }

  private open(protocol: Protocol, after: string | null, onEvent: (event: ConnectionEvent) => void): () => void {
    this.opened.push({ protocol, after, at: this.clock });
    let isOpen = true;
    const client: Client = { protocol, cursor: 0, dead: false, onEvent: (event) => isOpen && onEvent(event) };
    this.later(1 + this.random() * 50, () => isOpen && this.accept(client, after));
    return () => {
      isOpen = false;
      this.clients.delete(client);
    };
  }

  private accept(client: Client, after: string | null): void {
    if (!this.up) return client.onEvent({ type: 'closed', code: 1006 });
    this.clients.add(client);
    const from = after === null ? this.head : after === 'earliest' ? this.at(this.floor) : parseEventId(after);
    const known = from?.epoch === this.epoch && from.seq >= this.floor && from.seq <= this.log.length;
    client.cursor = known ? from.seq : this.log.length;
    client.onEvent({
      ...{ type: 'opened', id: this.at(client.cursor), head: this.head },
      ...(this.saysHeartbeat && { heartbeatMs: this.heartbeatMs }),
      ...this.delay(),
    });
    if (!known) client.onEvent({ type: 'reset', id: this.head });
    this.feed(client);
    this.beat(client);
  }

  private feed(client: Client): void {
    while (client.cursor < this.log.length && this.clients.has(client) && !client.dead) {
      const id = { epoch: this.epoch, seq: ++client.cursor };
      const fault = this.faults.shift();
      if (fault === 'malformed') client.onEvent({ type: 'malformed' });
      else if (fault === undefined)
        client.onEvent({ type: 'event', id, notification: this.notification(id.seq), bytes: 300 });
    }
  }

  private beat(client: Client): void {
    this.later(this.heartbeatMs, () => {
      if (!this.clients.has(client)) return;
      const id = { epoch: this.epoch, seq: client.cursor };
      if (!client.dead) client.onEvent({ type: 'position', id, ...this.delay() });
      this.beat(client);
    });
  }

  private delay(): { delayedMs?: number } {
    return this.delayedMs === null ? {} : { delayedMs: this.delayedMs };
  }

  private async read(after: string, limit: number): Promise<unknown> {
    this.reads++;
    await Promise.resolve();
    if (!this.up || !this.readable) throw new Error('away');
    const from = parseEventId(after);
    const known = from?.epoch === this.epoch && from.seq >= this.floor && from.seq <= this.log.length;
    const start = known ? from.seq : this.floor;
    const last = Math.min(start + limit, this.log.length);
    return {
      notifications: Array.from({ length: last - start }, (_, index) => this.notification(start + index + 1)),
      next: last < this.log.length ? formatEventId({ epoch: this.epoch, seq: last }) : null,
      head: formatEventId(this.head),
      reset: !known,
    };
  }

  private at(seq: number): EventId {
    return { epoch: this.epoch, seq };
  }

  private notification(seq: number): Notification {
    return notificationAt(this.at(seq), this.log[seq - 1] ?? 0, 1_000_000 + seq);
  }
}

/** Runs pending microtasks. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
