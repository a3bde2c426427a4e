import { Arrival, FeedConnection, FeedRuntime } from 'orderstream-client';
import { seededRandom } from 'orderstream-client/testing/seeded-random';
import { ModelService } from 'orderstream-client/testing/model-service';

import { Channel, Lock, LockEvents } from '../browser';
import { CHECK_MS, Connect, MAX_SILENT_CHECKS, RECENT_LIMIT, Sharing } from './sharing';

/** After this a leader that hangs is replaced. */
const TAKEOVER_MS = CHECK_MS * (MAX_SILENT_CHECKS + 2);

interface LockRequest {
  readonly tab: Tab;
  readonly events: LockEvents;
}

/** The lock and the channel of one browser; a crashed tab releases both, and its connection. */
class Browser {
  readonly tabs = new Set<Tab>();
  holder: LockRequest | null = null;
  denies = false;
  private waiting: LockRequest[] = [];

  constructor(readonly service: ModelService) {}

  open(): Tab {
    const tab = new Tab(this);
    this.tabs.add(tab);
    tab.sharing.start();
    return tab;
  }

  lockOf(tab: Tab): Lock {
    return {
      acquire: (events, steal) => {
        const request = { tab, events };
        if (this.denies) tab.run(() => events.denied());
        else if (this.holder === null) this.grant(request);
        else if (steal) {
          const { holder } = this;
          this.grant(request);
          holder.tab.run(() => holder.events.lost());
        } else this.waiting.push(request);
        return () => this.release(request);
      },
    };
  }

  /** The tab is gone. */
  remove(tab: Tab): void {
    this.tabs.delete(tab);
    this.waiting = this.waiting.filter((each) => each.tab !== tab);
    if (this.holder?.tab === tab) this.release(this.holder);
  }

  private grant(request: LockRequest): void {
    this.holder = request;
    request.tab.run(() => this.holder === request && request.events.held());
  }

  private release(request: LockRequest): void {
    this.waiting = this.waiting.filter((each) => each !== request);
    if (this.holder !== request) return;
    this.holder = null;
    const next = this.waiting.shift();
    if (next !== undefined) this.grant(next);
  }
}

class Tab {
  readonly received: number[] = [];
  readonly sharing: Sharing;
  onMessage: ((message: unknown) => void) | null = null;
  /** Messages of this tab are lost. */
  muted = false;
  visible = true;
  /** What a tab that hangs does when it goes on; null when it does not hang. */
  private postponed: (() => void)[] | null = null;
  private dead = false;
  private readonly connections: FeedConnection[] = [];

  constructor(private readonly browser: Browser) {
    const channel: Channel = {
      post: (message) => this.post(message),
      listen: (onMessage) => (this.onMessage = (message): void => this.run(() => onMessage(message))),
      close: () => browser.tabs.delete(this),
    };
    const runtime = this.runtime(browser.service.runtime());
    const connect: Connect = (start, onChange) => {
      const connection = new FeedConnection(start, runtime, onChange);
      this.connections.push(connection);
      return connection;
    };
    const tabs = { lock: browser.lockOf(this), channel, runtime, isVisible: () => this.visible };
    this.sharing = new Sharing({ shared: 'sse', alone: 'ws' }, tabs, connect, (arrived) => this.append(arrived));
  }

  get shown(): number[] {
    return this.sharing.recent.map((each) => each.notification.orderId);
  }

  /** The process ends without a message, and the browser grants its lock to the next tab. */
  crash(): void {
    this.dead = true;
    for (const each of this.connections) each.stop();
    this.browser.remove(this);
  }

  /** Nothing runs in the tab until it goes on: its connection and its lock stay. */
  hang(): void {
    this.postponed ??= [];
  }

  get hangs(): boolean {
    return this.postponed !== null;
  }

  goOn(): void {
    const tasks = this.postponed ?? [];
    this.postponed = null;
    for (const task of tasks) task();
  }

  run(task: () => void): void {
    if (this.dead) return;
    if (this.postponed === null) task();
    else this.postponed.push(task);
  }

  private runtime(runtime: FeedRuntime): FeedRuntime {
    return {
      ...runtime,
      later: (delayMs, task) => {
        let isCancelled = false;
        const cancel = runtime.later(delayMs, () => this.run(() => isCancelled || task()));
        return () => {
          isCancelled = true;
          cancel();
        };
      },
      open: (protocol, after, onEvent) => {
        let isOpen = true;
        const close = runtime.open(protocol, after, (event) => this.run(() => isOpen && onEvent(event)));
        return () => {
          isOpen = false;
          close();
        };
      },
    };
  }

  private append(arrived: readonly Arrival[]): void {
    if (!this.dead) this.received.push(...arrived.map((each) => each.notification.orderId));
  }

  private post(message: unknown): void {
    if (this.muted || this.dead) return;
    const copy: unknown = structuredClone(message);
    for (const tab of this.browser.tabs) if (tab !== this) tab.onMessage?.(copy);
  }
}

describe('Tabs that share the feed', () => {
  let service: ModelService;
  let browser: Browser;

  beforeEach(() => {
    service = new ModelService(seededRandom(11));
    browser = new Browser(service);
  });

  it('have one connection, and each receives everything once', async () => {
    const tabs = [browser.open(), browser.open(), browser.open()];
    await service.advance(1000);
    service.append(3);
    expect(service.clients.size).toBe(1);
    expect(tabs.map((each) => each.received)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(tabs.map((each) => each.sharing.leader)).toEqual([true, false, false]);
    expect(tabs.map((each) => each.sharing.status.state)).toEqual(['live', 'live', 'live']);
    expect(tabs[2]?.sharing.status.counts.received).toBe(3);
  });

  it('show a new tab earlier notifications without delivering them', async () => {
    browser.open();
    await service.advance(1000);
    service.append(3);
    const late = browser.open();
    service.append(1);
    expect(late.shown).toEqual([4, 3, 2, 1]);
    expect(late.received).toEqual([4]);
    expect(late.sharing.status.state).toBe('live');
  });

  it('keep a bounded number of notifications', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    service.append(RECENT_LIMIT + 10);
    expect(first.shown).toHaveLength(RECENT_LIMIT);
    expect(second.shown).toEqual(first.shown);
    expect(second.shown[0]).toBe(RECENT_LIMIT + 10);
  });

  it('resume with another leader from the same position', async () => {
    const [first, second, third] = [browser.open(), browser.open(), browser.open()];
    await service.advance(1000);
    service.append(2);
    first.crash();
    service.append(2);
    await service.advance(1000);
    service.append(1);
    expect(second.sharing.leader).toBe(true);
    expect(second.received).toEqual([1, 2, 3, 4, 5]);
    expect(third.received).toEqual([1, 2, 3, 4, 5]);
    expect(service.clients.size).toBe(1);
    expect(third.sharing.status.counts).toMatchObject({ received: 5, missed: 2, reconnects: 1 });
  });

  it('lose nothing that a crashed leader had received and not broadcast', async () => {
    const [first, second, third] = [browser.open(), browser.open(), browser.open()];
    await service.advance(1000);
    service.append(2);
    first.muted = true;
    service.append(2);
    expect(first.received).toEqual([1, 2, 3, 4]);
    expect(second.received).toEqual([1, 2]);
    first.crash();
    await service.advance(1000);
    service.append(1);
    expect(second.received).toEqual([1, 2, 3, 4, 5]);
    expect(third.received).toEqual([1, 2, 3, 4, 5]);
  });

  it('continue without a tab that resigns, which follows and can return', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    service.append(1);
    first.sharing.resign();
    first.sharing.resign();
    expect([first, second].map((each) => each.sharing.leader)).toEqual([false, true]);
    service.append(1);
    await service.advance(1000);
    service.append(1);
    expect(service.clients.size).toBe(1);
    first.sharing.stand();
    first.sharing.stand();
    second.crash();
    await service.advance(1000);
    service.append(1);
    expect(first.sharing.leader).toBe(true);
    expect(first.received).toEqual([1, 2, 3, 4]);
    expect(service.clients.size).toBe(1);
  });

  it('connect again from any tab after the service ended the feed', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    const bye = { type: 'bye', retryMs: 0, reason: 'disconnected' } as const;
    for (const client of [...service.clients]) service.end(client, bye, { type: 'closed', code: null });
    await service.advance(60_000);
    expect([first, second].map((each) => each.sharing.status.state)).toEqual(['ended', 'ended']);
    service.append(1);
    second.sharing.resume();
    await service.advance(1000);
    expect([first, second].map((each) => each.received)).toEqual([[1], [1]]);
    expect(service.clients.size).toBe(1);
  });

  it('have no connection while the only one has resigned, and lose nothing by it', async () => {
    const tab = browser.open();
    await service.advance(1000);
    tab.sharing.resign();
    service.append(2);
    await service.advance(1000);
    expect(service.clients.size).toBe(0);
    expect(tab.sharing.status.state).toBe('waiting');
    tab.sharing.stand();
    await service.advance(1000);
    expect(tab.received).toEqual([1, 2]);
  });

  it('switch together, from any tab', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    second.sharing.use('ws');
    expect(second.sharing.status.protocol).toBe('ws');
    await service.advance(1000);
    service.append(1);
    expect(first.sharing.status.protocol).toBe('ws');
    expect([...service.clients].map((each) => each.protocol)).toEqual(['ws']);
    expect(second.sharing.recent[0]?.protocol).toBe('ws');
  });

  it('show the requested protocol before the leader confirms it', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    const onMessage = first.onMessage;
    const undelivered: unknown[] = [];
    first.onMessage = (message) => undelivered.push(message);
    second.sharing.use('ws');
    service.append(1);
    expect(second.sharing.status.protocol).toBe('ws');
    for (const message of undelivered) onMessage?.(message);
    await service.advance(1000);
    expect([first, second].map((each) => each.sharing.status.protocol)).toEqual(['ws', 'ws']);
    first.sharing.use('sse');
    expect(second.sharing.status.protocol).toBe('sse');
  });

  it('keep the last protocol with another leader', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    first.sharing.use('ws');
    await service.advance(1000);
    first.crash();
    await service.advance(1000);
    expect(second.sharing.status).toMatchObject({ protocol: 'ws', state: 'live' });
  });

  it('request what they missed', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    service.append(1);
    first.muted = true;
    service.append(2);
    first.muted = false;
    service.append(1);
    expect(second.received).toEqual([1, 2, 3, 4]);
    expect(second.shown).toEqual([4, 3, 2, 1]);
  });

  it('deliver no duplicates when the leader crashes before a restore', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    service.append(5);
    first.crash();
    service.restore(1);
    service.append(1);
    await service.advance(20_000);
    expect(second.received).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    ['hears of it', false],
    ['misses it', true],
  ])('deliver what comes after the feed has gone back, in a tab that %s', async (_, isMissed) => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    service.append(5);
    service.goBack(3);
    first.muted = isMissed;
    await service.advance(20_000);
    first.muted = false;
    service.append(1);
    await service.advance(1000);
    service.append(1);
    const late = browser.open();
    await service.advance(1000);
    for (const { sharing, received, shown } of [first, second]) {
      expect(received).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(shown).toEqual([7, 6, 2, 1]);
      expect(sharing.position?.seq).toBe(4);
    }
    expect(late.shown).toEqual([7, 6, 2, 1]);
  });

  it('hand the connection over when the leader closes', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    first.sharing.stop();
    await service.advance(1000);
    service.append(1);
    expect(second.received).toEqual([1]);
    expect(service.clients.size).toBe(1);
  });

  it('take over from a leader that hangs, which follows when it goes on', async () => {
    const [first, second, third] = [browser.open(), browser.open(), browser.open()];
    await service.advance(1000);
    service.append(1);
    first.hang();
    service.append(1);
    await service.advance(TAKEOVER_MS);
    service.append(1);
    expect([second, third].map((each) => each.received)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect([second, third].filter((each) => each.sharing.leader)).toHaveLength(1);
    first.goOn();
    await service.advance(1000);
    service.append(1);
    expect(first.received).toEqual([1, 2, 3, 4]);
    expect(first.sharing.leader).toBe(false);
    expect(service.clients.size).toBe(1);
  });

  it('ignore what a former leader still sends', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    const messages: unknown[] = [];
    const { onMessage } = second;
    second.onMessage = (message) => {
      messages.push(message);
      onMessage?.(message);
    };
    service.append(1);
    const former = messages.find((each) => (each as { type: string }).type === 'news');
    first.crash();
    await service.advance(1000);
    const third = browser.open();
    await service.advance(1000);
    service.append(1);
    third.onMessage?.(former);
    expect(third.shown).toEqual([2, 1]);
    expect(third.sharing.position?.seq).toBe(2);
  });

  it('leave the leader alone as long as it answers, and when nobody looks', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(10 * TAKEOVER_MS);
    expect(first.sharing.leader).toBe(true);
    second.visible = false;
    first.hang();
    await service.advance(10 * TAKEOVER_MS);
    expect(second.sharing.leader).toBe(false);
    second.visible = true;
    second.sharing.look();
    await service.advance(TAKEOVER_MS);
    expect(second.sharing.leader).toBe(true);
  });

  it('know when the service was last heard', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    const openedAt = first.sharing.status.heardAt;
    expect(openedAt).toBeGreaterThan(0);
    await service.advance(16_000);
    expect(first.sharing.status.heardAt).toBeGreaterThan(openedAt ?? 0);
    expect(second.sharing.status.heardAt).toBe(first.sharing.status.heardAt);
  });

  it('know that the feed is delayed, also one that is opened meanwhile', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.advance(1000);
    service.delayedMs = 9_000;
    await service.advance(service.heartbeatMs);
    const third = browser.open();
    await service.advance(CHECK_MS);
    const { delayedSince } = first.sharing.status;
    for (const { sharing } of [first, second, third]) {
      expect(sharing.status).toMatchObject({ state: 'delayed', delayedSince });
    }
    service.delayedMs = null;
    await service.advance(service.heartbeatMs);
    expect([first, second, third].map((each) => each.sharing.status.state)).toEqual(['live', 'live', 'live']);
  });

  it('ignore messages of another version of the page', async () => {
    const first = browser.open();
    await service.advance(1000);
    for (const message of [null, 'hello', { type: 'more' }, []]) first.onMessage?.(message);
    expect(first.sharing.status.state).toBe('live');
  });

  it.each(Array.from({ length: 60 }, (_, index) => index + 1))(
    'receive each notification once while tabs open, hang and crash (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const service = new ModelService(random);
      const browser = new Browser(service);
      const openedAt = new Map<Tab, number>();
      const open = (): void => {
        const tab = browser.open();
        // nobody tells a new tab where the feed is while the leader hangs
        if (!browser.holder?.tab.hangs) openedAt.set(tab, service.log.length);
      };
      open();
      await service.advance(1000);
      for (let step = 0; step < 100; step++) {
        const pick = random();
        const [...tabs] = browser.tabs;
        const any = tabs[Math.floor(random() * tabs.length)];
        if (pick < 0.15) open();
        else if (pick < 0.3 && tabs.length > 1) (random() < 0.7 ? browser.holder?.tab : any)?.crash();
        else if (pick < 0.4) any?.sharing.use(random() < 0.5 ? 'sse' : 'ws');
        else if (pick < 0.5) service.cut();
        else if (pick < 0.6 && browser.holder !== null && tabs.length > 1)
          await crashAfterUnsentMessages(browser.holder.tab, service);
        else if (pick < 0.65) any?.hang();
        else if (pick < 0.7) for (const tab of tabs) tab.goOn();
        else service.append(1 + Math.floor(random() * 3));
        await service.advance(random() * 3000);
      }
      for (const tab of browser.tabs) tab.goOn();
      await service.advance(60_000);
      for (const tab of browser.tabs) {
        expect(tab.received).toEqual(service.log.slice(service.log.length - tab.received.length));
        expect(tab.received.length).toBeGreaterThanOrEqual(
          service.log.length - (openedAt.get(tab) ?? service.log.length),
        );
      }
      expect(service.clients.size).toBe(1);
    },
  );
});

async function crashAfterUnsentMessages(leader: Tab, service: ModelService): Promise<void> {
  leader.muted = true;
  service.append(2);
  await service.advance(1);
  leader.crash();
}

describe('A tab of a browser that keeps tabs from sharing', () => {
  let service: ModelService;
  let browser: Browser;

  beforeEach(() => {
    service = new ModelService(seededRandom(2));
    browser = new Browser(service);
  });

  it('has its own connection, outside of the limit for HTTP, when locks are denied', async () => {
    browser.denies = true;
    const tabs = [browser.open(), browser.open()];
    await service.advance(1000);
    service.append(2);
    for (const { sharing, received } of tabs) {
      expect(sharing).toMatchObject({ leader: true, isAlone: true, status: { protocol: 'ws', state: 'live' } });
      expect(received).toEqual([1, 2]);
    }
    expect(service.clients.size).toBe(2);
    tabs[0]?.sharing.use('sse');
    await service.advance(1000);
    expect(tabs.map((each) => each.sharing.status.protocol)).toEqual(['sse', 'ws']);
  });

  it('has its own connection without a channel', async () => {
    const received: number[] = [];
    const runtime = service.runtime();
    const sharing = new Sharing(
      { shared: 'sse', alone: 'ws' },
      { lock: { acquire: () => expect.fail() }, channel: null, runtime, isVisible: () => true },
      (start, onChange) => new FeedConnection(start, runtime, onChange),
      (arrived) => received.push(...arrived.map((each) => each.notification.orderId)),
    );
    sharing.start();
    await service.advance(1000);
    service.append(2);
    expect(sharing).toMatchObject({ leader: true, isAlone: true });
    expect(received).toEqual([1, 2]);
    sharing.stop();
    await service.advance(1000);
    expect(service.clients.size).toBe(0);
  });
});
