import { EventId, formatEventId } from './event-id.js';
import { ConnectionEvent, readPage } from './frames.js';
import { Decision, FeedStateMachine, Input, Start } from './state-machine.js';
import { Counts, FeedEnd, FeedState, Protocol, Received } from './notification.js';

/** The clock, timers, network and random numbers that a connection uses. */
export interface FeedRuntime {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  /** Run *task* after *delayMs*; the returned function cancels it. */
  later(delayMs: number, task: () => void): () => void;
  /**
   * Open a connection that resumes after *after*, an id or `earliest`, with its events for *onEvent*; the returned
   * function closes it.
   */
  open(protocol: Protocol, after: string | null, onEvent: (event: ConnectionEvent) => void): () => void;
  /** Read a page of the history, with a timeout. */
  read(after: string, limit: number): Promise<unknown>;
}

/** A notification with its size in bytes. */
export interface Arrival extends Received {
  readonly bytes: number;
}

/** Executes the decisions of the state machine. */
export class FeedConnection {
  private readonly machine: FeedStateMachine;
  private readonly open = new Map<number, () => void>();
  private cancelTick: () => void = () => undefined;
  private arrivals: Arrival[] = [];

  /** @param onChange called with new notifications in order, and at each possible change of the state or the counts. */
  constructor(
    start: Start,
    private readonly runtime: FeedRuntime,
    private readonly onChange: (arrivals: readonly Arrival[]) => void,
  ) {
    this.machine = new FeedStateMachine(start, runtime.now(), () => runtime.random());
  }

  get state(): FeedState {
    return this.machine.state;
  }

  get end(): FeedEnd | null {
    return this.machine.end;
  }

  get counts(): Counts {
    return this.machine.counts;
  }

  get protocol(): Protocol {
    return this.machine.protocol;
  }

  get position(): EventId | null {
    return this.machine.position;
  }

  /** When the service was last heard, in ms; null before. */
  get heardAt(): number | null {
    return this.machine.heardAt;
  }

  /** When the service last read the feed, in ms, if it can't since; null while it can, or nothing is known. */
  get delayedSince(): number | null {
    return this.machine.delayedSince;
  }

  /** Connect; also again, when the feed ended by itself. */
  start(): void {
    this.dispatch({ type: 'start' });
  }

  use(protocol: Protocol): void {
    this.dispatch({ type: 'use', protocol });
  }

  online(): void {
    this.dispatch({ type: 'online' });
  }

  offline(): void {
    this.dispatch({ type: 'offline' });
  }

  stop(): void {
    this.dispatch({ type: 'stop' });
    this.cancelTick();
  }

  private dispatch(input: Input): void {
    const now = this.runtime.now();
    for (const decision of this.machine.on(input, now)) this.execute(decision, now);
    this.cancelTick();
    const { wakeAt } = this.machine;
    if (wakeAt !== null) {
      this.cancelTick = this.runtime.later(Math.max(0, wakeAt - now), () => this.dispatch({ type: 'tick' }));
    }
    const arrivals = this.arrivals;
    this.arrivals = [];
    this.onChange(arrivals);
  }

  private execute(decision: Decision, now: number): void {
    switch (decision.type) {
      case 'connect': {
        const { connection, protocol, after } = decision;
        const onEvent = (event: ConnectionEvent): void =>
          this.dispatch({ type: 'connection-event', connection, event });
        const resume = after === null || after === 'earliest' ? after : formatEventId(after);
        this.open.set(connection, this.runtime.open(protocol, resume, onEvent));
        return;
      }
      case 'close':
        this.open.get(decision.connection)?.();
        this.open.delete(decision.connection);
        return;
      case 'read':
        void this.read(decision);
        return;
      case 'deliver':
        this.arrivals.push({ ...decision.delivery, receivedAt: now });
    }
  }

  private async read({ ticket, after, limit }: Extract<Decision, { type: 'read' }>): Promise<void> {
    const answer = await this.runtime.read(formatEventId(after), limit).catch(() => null);
    const page = readPage(answer);
    this.dispatch(page === null ? { type: 'read-failed', ticket } : { type: 'page', ticket, page });
  }
}
