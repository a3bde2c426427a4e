import { World } from '../connection';
import { EventId, formatEventId, parseEventId } from '../event-id';
import { Heard } from '../frames';
import { Notification, Protocol } from '../notification';
import { notificationAt } from './notifications';

const HEARTBEAT_MS = 15_000;

interface Client {
  readonly protocol: Protocol;
  readonly tell: (heard: Heard) => void;
  cursor: number;
  /** Says nothing any more, not even that it ended. */
  dead: boolean;
}

interface Timer {
  readonly at: number;
  readonly task: () => void;
}

/** The notification service as its protocol describes it, with a clock of its own and faults at will. */
export class ModelService {
  /** What the next frames suffer: one entry a frame. */
  readonly faults: ('lost' | 'malformed')[] = [];
  readonly clients = new Set<Client>();
  up = true;
  readable = true;
  opened: { protocol: Protocol; after: string; at: number }[] = [];
  reads = 0;
  clock = 1_000_000;
  epoch = 'a';
  floor = 0;
  log: number[] = [];
  private order = 0;
  private timers: Timer[] = [];

  constructor(private readonly random: () => number) {}

  get head(): EventId {
    return { epoch: this.epoch, seq: this.log.length };
  }

  /** The world as one tab sees it. */
  world(): World {
    return {
      now: () => this.clock,
      random: this.random,
      later: (delayMs, task) => this.later(delayMs, task),
      open: (protocol, after, tell) => this.open(protocol, after, tell),
      read: (after, limit) => this.read(after, limit),
    };
  }

  append(count = 1): void {
    for (let each = 0; each < count; each++) this.log.push(++this.order);
    for (const client of this.clients) this.feed(client);
  }

  /** A database of before comes back: the newest are lost, the ids are others. */
  restore(lost: number): void {
    this.log.length = Math.max(0, this.log.length - lost);
    this.epoch = `${this.epoch}x`;
    this.cut();
  }

  cut(): void {
    for (const client of [...this.clients]) this.end(client, { type: 'closed', code: 1006 });
  }

  end(client: Client, ...last: readonly Heard[]): void {
    this.clients.delete(client);
    for (const heard of last) client.tell(heard);
  }

  silence(): void {
    for (const client of this.clients) client.dead = true;
  }

  /** Let *durationMs* pass. */
  async pass(durationMs: number): Promise<void> {
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

  private open(protocol: Protocol, after: string, tell: (heard: Heard) => void): () => void {
    this.opened.push({ protocol, after, at: this.clock });
    let isOpen = true;
    const client: Client = { protocol, cursor: 0, dead: false, tell: (heard) => isOpen && tell(heard) };
    this.later(1 + this.random() * 50, () => this.accept(client, after));
    return () => {
      isOpen = false;
      this.clients.delete(client);
    };
  }

  private accept(client: Client, after: string): void {
    if (!this.up) return client.tell({ type: 'closed', code: 1006 });
    this.clients.add(client);
    client.tell({ type: 'opened', head: client.protocol === 'ws' ? this.head : null });
    const from = parseEventId(after);
    if (from?.epoch !== this.epoch || from.seq < this.floor || from.seq > this.log.length) {
      client.cursor = this.log.length;
      client.tell({ type: 'reset', id: this.head });
    } else client.cursor = from.seq;
    this.feed(client);
    this.beat(client);
  }

  private feed(client: Client): void {
    while (client.cursor < this.log.length && this.clients.has(client) && !client.dead) {
      const id = { epoch: this.epoch, seq: ++client.cursor };
      const fault = this.faults.shift();
      if (fault === 'malformed') client.tell({ type: 'malformed' });
      else if (fault === undefined) client.tell({ type: 'event', id, notification: this.at(id.seq), bytes: 300 });
    }
  }

  private beat(client: Client): void {
    this.later(HEARTBEAT_MS, () => {
      if (!this.clients.has(client)) return;
      const id = { epoch: this.epoch, seq: client.cursor };
      if (client.protocol === 'ws' && !client.dead) client.tell({ type: 'position', id });
      this.beat(client);
    });
  }

  private async read(after: string | null, limit: number): Promise<unknown> {
    this.reads++;
    await Promise.resolve();
    if (!this.up || !this.readable) throw new Error('away');
    const from = after === null ? null : parseEventId(after);
    const known = from?.epoch === this.epoch && from.seq >= this.floor && from.seq <= this.log.length;
    const start = known ? from.seq : this.floor;
    const last = Math.min(start + limit, this.log.length);
    return {
      notifications: Array.from({ length: last - start }, (_, index) => this.at(start + index + 1)),
      next: last < this.log.length ? formatEventId({ epoch: this.epoch, seq: last }) : null,
      head: formatEventId(this.head),
      reset: !known,
    };
  }

  private at(seq: number): Notification {
    return notificationAt({ epoch: this.epoch, seq }, this.log[seq - 1] ?? 0, 1_000_000 + seq);
  }
}

/** What was promised already is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
