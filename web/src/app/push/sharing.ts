import {
  Arrival,
  Counts,
  EventId,
  FeedRuntime,
  FeedState,
  NO_COUNTS,
  Protocol,
  Start,
  formatEventId,
  isRecord,
  parseEventId,
} from 'orderstream-client';

import { Channel, Lock } from '../browser';

/** The number of recent notifications that are kept, and sent to a new tab. */
export const RECENT_LIMIT = 500;
/** How often a follower that somebody looks at checks that the leader answers. */
export const CHECK_MS = 1_000;
/** So many checks without an answer: the leader hangs. It has these seconds, and one more, to answer. */
export const MAX_SILENT_CHECKS = 4;
/** Several followers do not take over at the same moment. */
const SPREAD_MS = 500;

/** The part of a connection that sharing uses. */
export interface SharedConnection {
  readonly state: FeedState;
  readonly counts: Counts;
  readonly protocol: Protocol;
  readonly position: EventId | null;
  readonly heardAt: number | null;
  readonly delayedSince: number | null;
  start(): void;
  use(protocol: Protocol): void;
  stop(): void;
}

export interface Status {
  readonly state: FeedState;
  readonly counts: Counts;
  readonly protocol: Protocol;
  /** When the service was last heard, in milliseconds since 1970; null before. */
  readonly heardAt: number | null;
  /** When the service last read the feed, in milliseconds since 1970, if it can't since. */
  readonly delayedSince: number | null;
}

/** From a leader; *term* grows with each: what a former one still sends is ignored. */
interface FromLeader {
  readonly term: number;
  readonly last: string | null;
  readonly status: Status;
}

export type Message =
  /** From a new tab, or one that missed a message: requests a snapshot. */
  | { readonly type: 'hello' }
  /** From a follower: requests a beat. Messages wake a tab in the background, whose timers may rest for a minute. */
  | { readonly type: 'ping' }
  /** From the leader: it is alive. */
  | ({ readonly type: 'beat' } & FromLeader)
  /** From the leader: the notifications after *after*; *last* is the new position. */
  | ({ readonly type: 'news'; readonly after: string | null; readonly arrived: readonly Arrival[] } & FromLeader)
  /** From the leader: a snapshot, the newest notification first, of everything after *since*. */
  | ({ readonly type: 'all'; readonly recent: readonly Arrival[]; readonly since: string | null } & FromLeader)
  /** From a follower: requests another protocol. */
  | { readonly type: 'use'; readonly protocol: Protocol }
  /** From a follower: connect again, after the service ended the feed. */
  | { readonly type: 'resume' };

/** Opens a connection; *onChange* receives new notifications in order. */
export type Connect = (start: Start, onChange: (arrived: readonly Arrival[]) => void) => SharedConnection;

/** What the tabs have in common, and what this one does without it. */
export interface Tabs {
  readonly lock: Lock;
  readonly channel: Channel | null;
  readonly runtime: Pick<FeedRuntime, 'now' | 'random' | 'later'>;
  /** Whether somebody may look at this tab: the others do not take over. */
  readonly isVisible: () => boolean;
}

/**
 * Shares one connection between the tabs of a browser: the tab that holds the lock is the leader and broadcasts.
 *
 * Every tab keeps the last broadcast position. When the leader closes, the next holder of the lock resumes from there:
 * notifications that the old leader had received but not broadcast are delivered again. From a leader that hangs, a
 * follower takes the lock away. Where the browser has no locks or no channel, each tab has its own connection.
 */
export class Sharing {
  recent: readonly Arrival[] = [];
  status: Status;
  /** Whether the browser keeps the tabs from sharing. */
  isAlone = false;
  private connection: SharedConnection | null = null;
  private lastId: string | null = null;
  /** Everything after it is in *recent*. */
  private since: string | null = null;
  /** Brings what the leader no longer has, up to what it has. */
  private bridge: SharedConnection | null = null;
  private term = 0;
  private snapshotRequested = false;
  private silentChecks = 0;
  /** The protocol that this follower requested, until the leader confirms it: earlier broadcasts have the old one. */
  private requestedProtocol: Protocol | null = null;
  private releaseLock: (() => void) | null = null;
  private cancelCheck: () => void = () => undefined;
  private isStopped = false;

  /**
   * @param protocols over which the tabs begin when they share, and this one when it is alone.
   * @param onChange called with new notifications in order, and at each possible change of the status.
   */
  constructor(
    private readonly protocols: { readonly shared: Protocol; readonly alone: Protocol },
    private readonly tabs: Tabs,
    private readonly connect: Connect,
    private readonly onChange: (arrived: readonly Arrival[]) => void,
  ) {
    this.status = {
      ...{ state: 'connecting', counts: NO_COUNTS, protocol: protocols.shared },
      ...{ heardAt: null, delayedSince: null },
    };
  }

  get leader(): boolean {
    return this.connection !== null;
  }

  /** The position up to which everything was received; null before the first connection. */
  get position(): EventId | null {
    return this.lastId === null ? null : parseEventId(this.lastId);
  }

  start(): void {
    this.tabs.channel?.listen((message) => this.onMessage(message));
    this.requestSnapshot();
    this.stand();
    this.check();
  }

  /** Become the leader, as soon as no other tab is; does nothing when this one is, or waits to be. */
  stand(): void {
    if (this.tabs.channel === null) this.stayAlone();
    else this.releaseLock ??= this.acquire();
  }

  /** Somebody looks at this tab again: check at once that the leader answers. */
  look(): void {
    this.silentChecks = 0;
    this.check();
  }

  /** Connect again, after the service ended the feed. */
  resume(): void {
    if (this.connection !== null) this.connection.start();
    else this.post({ type: 'resume' });
  }

  /** Leave the connection to another tab, and follow it. */
  resign(): void {
    if (this.connection !== null) this.disconnect();
    this.releaseLock?.();
    this.releaseLock = null;
  }

  use(protocol: Protocol): void {
    if (this.connection !== null) return this.connection.use(protocol);
    this.requestedProtocol = protocol;
    this.status = { ...this.status, protocol };
    this.post({ type: 'use', protocol });
    this.onChange([]);
  }

  stop(): void {
    this.isStopped = true;
    this.cancelCheck();
    this.connection?.stop();
    this.endBridge();
    this.tabs.channel?.close();
    this.releaseLock?.();
  }

  private acquire(steal = false): () => void {
    const events = { held: () => this.becomeLeader(), lost: () => this.onLockLost(), denied: () => this.stayAlone() };
    return this.tabs.lock.acquire(events, steal);
  }

  /** A follower took over while this tab hung: follow it. */
  private onLockLost(): void {
    if (this.isStopped) return;
    if (this.connection !== null) this.disconnect();
    this.releaseLock = this.acquire();
    this.silentChecks = 0;
    this.requestSnapshot();
  }

  private stayAlone(): void {
    if (this.isStopped || this.connection !== null) return;
    this.isAlone = true;
    this.tabs.channel?.close();
    this.status = { ...this.status, protocol: this.requestedProtocol ?? this.protocols.alone };
    this.becomeLeader();
  }

  private disconnect(): void {
    this.connection?.stop();
    this.connection = null;
    this.status = { ...this.status, state: 'waiting' };
    this.onChange([]);
  }

  /** Asks the leader for a beat, and takes over from one that owes several. */
  private check(): void {
    this.cancelCheck();
    if (this.isStopped || this.isAlone) return;
    this.cancelCheck = this.tabs.runtime.later(CHECK_MS, () => this.check());
    // without a lock that it waits for, this tab has resigned
    if (this.connection !== null || this.releaseLock === null) return;
    if (!this.tabs.isVisible()) this.silentChecks = 0;
    else if (this.silentChecks++ < MAX_SILENT_CHECKS) this.post({ type: 'ping' });
    else this.takeOverSoon();
  }

  private takeOverSoon(): void {
    this.cancelCheck();
    this.cancelCheck = this.tabs.runtime.later(this.tabs.runtime.random() * SPREAD_MS, () => {
      if (this.silentChecks > MAX_SILENT_CHECKS && this.connection === null) {
        this.releaseLock?.();
        this.releaseLock = this.acquire(true);
      }
      this.silentChecks = 0;
      this.check();
    });
  }

  private becomeLeader(): void {
    const start = this.here();
    this.endBridge();
    this.term = Math.max(this.term + 1, this.tabs.runtime.now());
    const connection = this.connect(start, (arrived) => this.publish(connection, arrived));
    this.connection = connection;
    connection.start();
    this.post(this.snapshot());
    this.onChange([]);
  }

  private publish(connection: SharedConnection, arrived: readonly Arrival[]): void {
    const after = this.lastId;
    const { state, counts, protocol, position, heardAt, delayedSince } = connection;
    this.moveTo(position && formatEventId(position), counts);
    this.since ??= this.lastId;
    const unchanged = this.status.state === state && this.status.counts === counts && this.status.protocol === protocol;
    this.status = { state, counts, protocol, heardAt: heardAt ?? this.status.heardAt, delayedSince };
    if (!unchanged || this.lastId !== after) {
      this.append(arrived);
      this.post({ type: 'news', after, arrived, ...this.fromLeader() });
    }
    this.onChange(arrived);
  }

  private onMessage(value: unknown): void {
    if (!isMessage(value)) return;
    if (this.connection !== null) this.serve(value, this.connection);
    else if ('term' in value) this.follow(value);
  }

  private serve(message: Message, connection: SharedConnection): void {
    if ('term' in message) this.concede(message);
    else if (message.type === 'hello') this.post(this.snapshot());
    else if (message.type === 'ping') this.post({ type: 'beat', ...this.fromLeader() });
    else if (message.type === 'resume') connection.start();
    else if (message.type === 'use') {
      connection.use(message.protocol);
      this.post(this.snapshot());
    }
  }

  /** Another tab took over while this one hung: follow it, already before this one hears of its lock. */
  private concede(message: Message & FromLeader): void {
    if (message.term <= this.term) return;
    this.disconnect();
    this.follow(message);
  }

  private follow(message: Message & FromLeader): void {
    if (message.term < this.term) return;
    this.term = message.term;
    this.silentChecks = 0;
    if (this.bridge !== null) return;
    if (message.type === 'all') return this.catchUp(message);
    const isNext = (message.type === 'news' ? message.after : message.last) === this.lastId;
    if (!isNext && !this.snapshotRequested) this.requestSnapshot();
    if (!isNext) return;
    this.moveTo(message.last, message.status.counts);
    this.status = { ...message.status, protocol: this.requestedProtocol ?? message.status.protocol };
    this.deliver(message.type === 'news' ? message.arrived : []);
  }

  private requestSnapshot(): void {
    this.snapshotRequested = true;
    this.post({ type: 'hello' });
  }

  private catchUp({ last, recent, since, status }: Extract<Message, { type: 'all' }>): void {
    this.snapshotRequested = false;
    this.requestedProtocol = null;
    const hasGoneBack = this.isReset(status.counts);
    this.status = status;
    const before = this.lastId;
    if (before !== null && !hasGoneBack && isBefore(before, since)) return this.bridgeTo(last);
    if (before === null || hasGoneBack) {
      // notifications from before this tab was opened are shown, but not delivered as new
      const latest = this.recent[0]?.receivedAt ?? 0;
      const arrived = this.unknownOf(recent).filter((each) => before !== null && each.receivedAt >= latest);
      this.lastId = last;
      this.recent = recent;
      this.since = since;
      return this.onChange(arrived.reverse());
    }
    // a leader that hung may be behind this tab
    if (!isBefore(last, before)) this.lastId = last ?? before;
    this.deliver(recent.filter(({ notification: { id } }) => id !== before && !isBefore(id, before)).reverse());
  }

  /** The leader knows less than this tab: it was opened while the former one hung, or very many have come since. */
  private bridgeTo(last: string | null): void {
    const bridge = this.connect(this.here(), (arrived) => {
      if (bridge !== this.bridge) return;
      this.lastId = bridge.position && formatEventId(bridge.position);
      this.deliver(arrived);
      if (isBefore(this.lastId, last)) return;
      this.endBridge();
      this.requestSnapshot();
    });
    this.bridge = bridge;
    bridge.start();
  }

  private endBridge(): void {
    const { bridge } = this;
    this.bridge = null;
    bridge?.stop();
  }

  /** A new leader may repeat notifications that the previous one had broadcast. */
  private deliver(sent: readonly Arrival[]): void {
    const arrived = this.unknownOf(sent);
    this.append(arrived);
    this.onChange(arrived);
  }

  private unknownOf(sent: readonly Arrival[]): Arrival[] {
    const known = new Set(this.recent.map(keyOf));
    return sent.filter((each) => !known.has(keyOf(each)));
  }

  /** Everything up to *last* is known. A feed that was reset gives the ids after it to other notifications. */
  private moveTo(last: string | null, counts: Counts): void {
    if (this.isReset(counts)) {
      this.recent = this.recent.filter(({ notification: { id } }) => !isBefore(last, id));
      if (isBefore(last, this.since)) this.since = last;
    }
    this.lastId = last;
  }

  /** A position before this tab's is no reset: a leader may know less than the tabs that follow it. */
  private isReset(counts: Counts): boolean {
    return counts.resets > this.status.counts.resets;
  }

  private append(arrived: readonly Arrival[]): void {
    if (arrived.length === 0) return;
    const all = [...[...arrived].reverse(), ...this.recent];
    this.recent = all.slice(0, RECENT_LIMIT);
    if (all.length > RECENT_LIMIT) this.since = this.recent.at(-1)?.notification.id ?? null;
  }

  private post(message: Message): void {
    if (!this.isAlone) this.tabs.channel?.post(message);
  }

  private snapshot(): Message {
    return { type: 'all', recent: this.recent, since: this.since, ...this.fromLeader() };
  }

  /** A connection that goes on where this tab is. */
  private here(): Start {
    return {
      protocol: this.status.protocol,
      after: this.position,
      counts: this.status.counts,
      delivered: this.recent.map((each) => each.notification).reverse(),
    };
  }

  private fromLeader(): FromLeader {
    return { term: this.term, last: this.lastId, status: this.status };
  }
}

/** An id alone is given again after a feed has gone back. */
function keyOf({ notification: { id, orderId, kind, version } }: Arrival): string {
  return [id, orderId, kind, version].join();
}

/** Whether *one* is before *other* in the same epoch. */
function isBefore(one: string | null, other: string | null): boolean {
  const [before, after] = [parseEventId(one ?? ''), parseEventId(other ?? '')];
  return before !== null && after?.epoch === before.epoch && before.seq < after.seq;
}

/** Only pages of this origin can send here; another version of the page may send unknown messages. */
function isMessage(value: unknown): value is Message {
  return isRecord(value) && ['hello', 'ping', 'beat', 'news', 'all', 'use', 'resume'].includes(String(value['type']));
}
