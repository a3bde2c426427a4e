import {
  Arrival,
  Counts,
  EventId,
  FeedState,
  NO_COUNTS,
  Protocol,
  Start,
  formatEventId,
  isRecord,
  parseEventId,
} from 'orderstream-client';

/** The number of recent notifications that are kept, and sent to a new tab. */
export const RECENT_LIMIT = 500;

/** A lock that one tab of the browser holds at a time. */
export interface Lock {
  /** Call *held* once this tab holds the lock; the returned function releases it or stops waiting. */
  acquire(held: () => void): () => void;
}

/** A broadcast channel to all other tabs. */
export interface Channel {
  post(message: Message): void;
  listen(onMessage: (message: unknown) => void): void;
  close(): void;
}

/** The part of a connection that sharing uses. */
export interface SharedConnection {
  readonly state: FeedState;
  readonly counts: Counts;
  readonly protocol: Protocol;
  readonly position: EventId | null;
  start(): void;
  use(protocol: Protocol): void;
  stop(): void;
}

export interface Status {
  readonly state: FeedState;
  readonly counts: Counts;
  readonly protocol: Protocol;
}

export type Message =
  /** From a new tab, or one that missed a message: requests a snapshot. */
  | { readonly type: 'hello' }
  /** From the leader: the notifications after *after*; *last* is the new position. */
  | {
      readonly type: 'news';
      readonly after: string | null;
      readonly last: string | null;
      readonly arrived: readonly Arrival[];
      readonly status: Status;
    }
  /** From the leader: a snapshot, the newest notification first. */
  | {
      readonly type: 'all';
      readonly last: string | null;
      readonly recent: readonly Arrival[];
      readonly status: Status;
    }
  /** From a follower: requests another protocol. */
  | { readonly type: 'use'; readonly protocol: Protocol }
  /** From a follower: connect again, after the service ended the feed. */
  | { readonly type: 'resume' };

/** Opens a connection; *onChange* receives new notifications in order. */
export type Connect = (start: Start, onChange: (arrived: readonly Arrival[]) => void) => SharedConnection;

/**
 * Shares one connection between the tabs of a browser: the tab that holds the lock is the leader and broadcasts.
 *
 * Every tab keeps the last broadcast position. When the leader closes, the next holder of the lock resumes from there:
 * notifications that the old leader had received but not broadcast are delivered again.
 */
export class Sharing {
  recent: readonly Arrival[] = [];
  status: Status;
  private connection: SharedConnection | null = null;
  private lastId: string | null = null;
  private snapshotRequested = false;
  /** The protocol that this follower requested, until the leader confirms it: earlier broadcasts have the old one. */
  private requestedProtocol: Protocol | null = null;
  private releaseLock: (() => void) | null = null;

  /**
   * @param lock null where Web Locks are unavailable: then each tab has its own connection.
   * @param onChange called with new notifications in order, and at each possible change of the status.
   */
  constructor(
    protocol: Protocol,
    private readonly lock: Lock | null,
    private readonly channel: Channel | null,
    private readonly connect: Connect,
    private readonly onChange: (arrived: readonly Arrival[]) => void,
  ) {
    this.status = { state: 'connecting', counts: NO_COUNTS, protocol };
  }

  get leader(): boolean {
    return this.connection !== null;
  }

  start(): void {
    if (this.lock !== null && this.channel !== null) {
      this.channel.listen((message) => this.onMessage(message));
      this.requestSnapshot();
    }
    this.stand();
  }

  /** Become the leader, as soon as no other tab is; does nothing when this one is, or waits to be. */
  stand(): void {
    if (this.lock === null || this.channel === null) {
      if (this.connection === null) this.becomeLeader();
    } else this.releaseLock ??= this.lock.acquire(() => this.becomeLeader());
  }

  /** Connect again, after the service ended the feed. */
  resume(): void {
    if (this.connection !== null) this.connection.start();
    else this.channel?.post({ type: 'resume' });
  }

  /** Leave the connection to another tab, and follow it. */
  resign(): void {
    const { connection } = this;
    this.connection = null;
    if (connection !== null) {
      connection.stop();
      this.status = { ...this.status, state: 'waiting' };
      this.onChange([]);
    }
    this.releaseLock?.();
    this.releaseLock = null;
  }

  use(protocol: Protocol): void {
    if (this.connection !== null) return this.connection.use(protocol);
    this.requestedProtocol = protocol;
    this.status = { ...this.status, protocol };
    this.channel?.post({ type: 'use', protocol });
    this.onChange([]);
  }

  stop(): void {
    this.connection?.stop();
    this.channel?.close();
    this.releaseLock?.();
  }

  private becomeLeader(): void {
    const start: Start = {
      protocol: this.status.protocol,
      after: this.lastId === null ? null : parseEventId(this.lastId),
      counts: this.status.counts,
      delivered: this.recent.map((each) => each.notification).reverse(),
    };
    const connection = this.connect(start, (arrived) => this.publish(connection, arrived));
    this.connection = connection;
    connection.start();
    if (this.lock !== null) this.channel?.post(this.snapshot());
    this.onChange([]);
  }

  private publish(connection: SharedConnection, arrived: readonly Arrival[]): void {
    const after = this.lastId;
    const { state, counts, protocol, position } = connection;
    this.lastId = position && formatEventId(position);
    const unchanged = this.status.state === state && this.status.counts === counts && this.status.protocol === protocol;
    if (unchanged && this.lastId === after) return;
    this.status = { state, counts, protocol };
    this.append(arrived);
    if (this.lock !== null) {
      this.channel?.post({ type: 'news', after, last: this.lastId, arrived, status: this.status });
    }
    this.onChange(arrived);
  }

  private onMessage(value: unknown): void {
    if (!isMessage(value)) return;
    if (this.connection !== null) this.serve(value, this.connection);
    else this.follow(value);
  }

  private serve(message: Message, connection: SharedConnection): void {
    if (message.type === 'hello') this.channel?.post(this.snapshot());
    else if (message.type === 'resume') connection.start();
    else if (message.type === 'use') {
      connection.use(message.protocol);
      this.channel?.post(this.snapshot());
    }
  }

  private follow(message: Message): void {
    if (message.type === 'all') this.catchUp(message.last, message.recent, message.status);
    else if (message.type === 'news' && message.after === this.lastId) {
      this.lastId = message.last;
      this.status = { ...message.status, protocol: this.requestedProtocol ?? message.status.protocol };
      this.deliver(message.arrived);
    } else if (message.type === 'news' && !this.snapshotRequested) this.requestSnapshot();
  }

  private requestSnapshot(): void {
    this.snapshotRequested = true;
    this.channel?.post({ type: 'hello' });
  }

  private catchUp(lastId: string | null, recent: readonly Arrival[], status: Status): void {
    this.snapshotRequested = false;
    this.requestedProtocol = null;
    this.status = status;
    const isNew = this.lastId === null;
    this.lastId = lastId ?? this.lastId;
    if (isNew) {
      // notifications from before this tab was opened are shown, but not delivered as new
      this.recent = recent;
      this.onChange([]);
    } else this.deliver([...recent].reverse());
  }

  /** A new leader may repeat notifications that the previous one had broadcast. */
  private deliver(sent: readonly Arrival[]): void {
    const known = new Set(this.recent.map((each) => each.notification.id));
    const arrived = sent.filter((each) => !known.has(each.notification.id));
    this.append(arrived);
    this.onChange(arrived);
  }

  private append(arrived: readonly Arrival[]): void {
    if (arrived.length > 0) this.recent = [...[...arrived].reverse(), ...this.recent].slice(0, RECENT_LIMIT);
  }

  private snapshot(): Message {
    return { type: 'all', last: this.lastId, recent: this.recent, status: this.status };
  }
}

/** Only pages of this origin can send here; another version of the page may send unknown messages. */
function isMessage(value: unknown): value is Message {
  return isRecord(value) && ['hello', 'news', 'all', 'use', 'resume'].includes(String(value['type']));
}
