import { EventId, formatEventId } from './event-id';
import { Heard, readPage } from './frames';
import { Decision, FeedMachine, Input, Start } from './machine';
import { Counts, FeedState, Protocol, Received } from './notification';

/** What a connection to the feed needs of the world. */
export interface World {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
  /** Run *task* after so many ms; the answer calls that off. */
  later(delayMs: number, task: () => void): () => void;
  /** Open a connection that goes on after *after*, and tell what it says; the answer closes it. */
  open(protocol: Protocol, after: string, tell: (heard: Heard) => void): () => void;
  /** Read a page of the history, within a bounded time. */
  read(after: string | null, limit: number): Promise<unknown>;
}

/** A notification with the bytes that brought it. */
export interface Arrival extends Received {
  readonly bytes: number;
}

/** Carries out what the machine decides. */
export class FeedConnection {
  private readonly machine: FeedMachine;
  private readonly open = new Map<number, () => void>();
  private cancelWake: () => void = () => undefined;
  private arrived: Arrival[] = [];

  /** @param tell is called with what came, in order, and whenever the state or the counts may be others. */
  constructor(
    start: Start,
    private readonly world: World,
    private readonly tell: (arrived: readonly Arrival[]) => void,
  ) {
    this.machine = new FeedMachine(start, world.now(), () => world.random());
  }

  get state(): FeedState {
    return this.machine.state;
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

  start(): void {
    this.happened({ type: 'start' });
  }

  use(protocol: Protocol): void {
    this.happened({ type: 'use', protocol });
  }

  online(): void {
    this.happened({ type: 'online' });
  }

  offline(): void {
    this.happened({ type: 'offline' });
  }

  stop(): void {
    this.happened({ type: 'stop' });
    this.cancelWake();
  }

  private happened(input: Input): void {
    const now = this.world.now();
    for (const decision of this.machine.on(input, now)) this.carryOut(decision, now);
    this.cancelWake();
    const { wakeAt } = this.machine;
    if (wakeAt !== null) {
      this.cancelWake = this.world.later(Math.max(0, wakeAt - now), () => this.happened({ type: 'tick' }));
    }
    const arrived = this.arrived;
    this.arrived = [];
    this.tell(arrived);
  }

  private carryOut(decision: Decision, now: number): void {
    switch (decision.type) {
      case 'connect': {
        const { connection, protocol, after } = decision;
        const tell = (heard: Heard): void => this.happened({ type: 'heard', connection, heard });
        this.open.set(connection, this.world.open(protocol, formatEventId(after), tell));
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
        this.arrived.push({ ...decision.delivery, receivedAt: now });
    }
  }

  private async read({ ticket, after, limit }: Extract<Decision, { type: 'read' }>): Promise<void> {
    const answer = await this.world.read(after && formatEventId(after), limit).catch(() => null);
    const page = readPage(answer);
    this.happened(page === null ? { type: 'unread', ticket } : { type: 'page', ticket, page });
  }
}
