import { Arrival } from './connection';
import { formatEventId, parseEventId } from './event-id';
import { Start } from './machine';
import { Counts, FeedState, NO_COUNTS, Protocol, isRecord } from './notification';

/** So many of the newest are kept, and told to a new tab. */
export const RECENT_LIMIT = 500;

/** Held by one tab of the browser at a time. */
export interface Lock {
  /** Call *held* once this tab holds it; the answer lets go, or stops waiting. */
  acquire(held: () => void): () => void;
}

/** Heard by all other tabs. */
export interface Channel {
  post(message: Message): void;
  listen(hear: (message: unknown) => void): void;
  close(): void;
}

/** The part of a connection that sharing needs. */
export interface Source {
  readonly state: FeedState;
  readonly counts: Counts;
  readonly protocol: Protocol;
  readonly position: ReturnType<typeof parseEventId>;
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
  /** Of a tab that is new, or has missed something. */
  | { readonly type: 'hello' }
  /** Of the leader: what came after *after*; *last* is where the feed is now. */
  | {
      readonly type: 'news';
      readonly after: string | null;
      readonly last: string | null;
      readonly arrived: readonly Arrival[];
      readonly status: Status;
    }
  /** Of the leader: all that it knows, the newest first. */
  | {
      readonly type: 'all';
      readonly last: string | null;
      readonly recent: readonly Arrival[];
      readonly status: Status;
    }
  /** Of a follower: the leader is to use another protocol. */
  | { readonly type: 'use'; readonly protocol: Protocol };

/** Begins a connection; what came, in order, goes to *tell*. */
export type Connect = (start: Start, tell: (arrived: readonly Arrival[]) => void) => Source;

/**
 * Has the tabs of a browser share one connection: whoever holds the lock has it, and tells the others all that comes.
 *
 * Every tab knows the place in the feed that was told last. When the leader goes, the next to hold the lock goes on from
 * there: what the old one had heard and not told yet comes again.
 */
export class Sharing {
  recent: readonly Arrival[] = [];
  status: Status;
  private source: Source | null = null;
  private last: string | null = null;
  private asked = false;
  /** The protocol that this follower wants, until the leader has heard so: what it says before is older. */
  private wish: Protocol | null = null;
  private letGo: () => void = () => undefined;

  /**
   * @param lock is null where there is none: then each tab has a connection of its own.
   * @param tell is called with what came, in order, and whenever something may be different.
   */
  constructor(
    protocol: Protocol,
    private readonly lock: Lock | null,
    private readonly channel: Channel | null,
    private readonly connect: Connect,
    private readonly tell: (arrived: readonly Arrival[]) => void,
  ) {
    this.status = { state: 'connecting', counts: NO_COUNTS, protocol };
  }

  get leader(): boolean {
    return this.source !== null;
  }

  start(): void {
    if (this.lock === null || this.channel === null) return this.lead();
    this.channel.listen((message) => this.hear(message));
    this.ask();
    this.letGo = this.lock.acquire(() => this.lead());
  }

  use(protocol: Protocol): void {
    if (this.source !== null) return this.source.use(protocol);
    this.wish = protocol;
    this.status = { ...this.status, protocol };
    this.channel?.post({ type: 'use', protocol });
    this.tell([]);
  }

  stop(): void {
    this.source?.stop();
    this.channel?.close();
    this.letGo();
  }

  private lead(): void {
    const start = {
      protocol: this.status.protocol,
      position: this.last === null ? null : parseEventId(this.last),
      counts: this.status.counts,
      known: this.recent.map((each) => each.notification).reverse(),
    };
    const source = this.connect(start, (arrived) => this.publish(source, arrived));
    this.source = source;
    source.start();
    if (this.lock !== null) this.channel?.post(this.all());
    this.tell([]);
  }

  private publish(source: Source, arrived: readonly Arrival[]): void {
    const after = this.last;
    const { state, counts, protocol, position } = source;
    this.last = position && formatEventId(position);
    const unchanged = this.status.state === state && this.status.counts === counts && this.status.protocol === protocol;
    if (unchanged && this.last === after) return;
    this.status = { state, counts, protocol };
    this.keep(arrived);
    if (this.lock !== null) {
      this.channel?.post({ type: 'news', after, last: this.last, arrived, status: this.status });
    }
    this.tell(arrived);
  }

  private hear(value: unknown): void {
    if (!isMessage(value)) return;
    if (this.source !== null) this.serve(value, this.source);
    else this.follow(value);
  }

  private serve(message: Message, source: Source): void {
    if (message.type === 'hello') this.channel?.post(this.all());
    else if (message.type === 'use') {
      source.use(message.protocol);
      this.channel?.post(this.all());
    }
  }

  private follow(message: Message): void {
    if (message.type === 'all') this.catchUp(message.last, message.recent, message.status);
    else if (message.type === 'news' && message.after === this.last) {
      this.last = message.last;
      this.status = { ...message.status, protocol: this.wish ?? message.status.protocol };
      this.take(message.arrived);
    } else if (message.type === 'news' && !this.asked) this.ask();
  }

  private ask(): void {
    this.asked = true;
    this.channel?.post({ type: 'hello' });
  }

  private catchUp(last: string | null, recent: readonly Arrival[], status: Status): void {
    this.asked = false;
    this.wish = null;
    this.status = status;
    const isNew = this.last === null;
    this.last = last ?? this.last;
    if (isNew) {
      // what came before this tab was there is shown, but is no news to it
      this.recent = recent;
      this.tell([]);
    } else this.take([...recent].reverse());
  }

  /** Of what a leader tells, a new one may repeat what the one before had told. */
  private take(told: readonly Arrival[]): void {
    const known = new Set(this.recent.map((each) => each.notification.id));
    const arrived = told.filter((each) => !known.has(each.notification.id));
    this.keep(arrived);
    this.tell(arrived);
  }

  private keep(arrived: readonly Arrival[]): void {
    if (arrived.length > 0) this.recent = [...[...arrived].reverse(), ...this.recent].slice(0, RECENT_LIMIT);
  }

  private all(): Message {
    return { type: 'all', last: this.last, recent: this.recent, status: this.status };
  }
}

/** Only pages of this origin are heard here; another version of this page may still say what is not known. */
function isMessage(value: unknown): value is Message {
  return isRecord(value) && ['hello', 'news', 'all', 'use'].includes(String(value['type']));
}
