import { Arrival, FeedConnection } from './connection';
import { Channel, Connect, Lock, Message, RECENT_LIMIT, Sharing } from './sharing';
import { chance } from './testing/chance';
import { ModelService } from './testing/model-service';

/** The lock and the channel of one browser; a tab that dies lets go of both, and of its connection. */
class Browser {
  readonly waiting: (() => void)[] = [];
  readonly tabs = new Set<Tab>();
  holder: Tab | null = null;

  constructor(readonly service: ModelService) {}

  open(): Tab {
    const tab = new Tab(this);
    this.tabs.add(tab);
    tab.sharing.start();
    return tab;
  }

  lockOf(tab: Tab): Lock {
    return {
      acquire: (held) => {
        const take = (): void => {
          this.holder = tab;
          held();
        };
        tab.take = take;
        if (this.holder === null) take();
        else this.waiting.push(take);
        return () => this.release(tab);
      },
    };
  }

  release(tab: Tab): void {
    const index = tab.take === null ? -1 : this.waiting.indexOf(tab.take);
    if (index >= 0) this.waiting.splice(index, 1);
    if (this.holder !== tab) return;
    this.holder = null;
    this.waiting.shift()?.();
  }
}

class Tab {
  readonly heard: number[] = [];
  readonly sharing: Sharing;
  take: (() => void) | null = null;
  hear: ((message: unknown) => void) | null = null;
  /** What this tab says is no longer heard. */
  mute = false;
  private dead = false;
  private connection: FeedConnection | null = null;

  constructor(private readonly browser: Browser) {
    const channel: Channel = {
      post: (message: Message) => this.post(message),
      listen: (hear) => (this.hear = hear),
      close: () => browser.tabs.delete(this),
    };
    const world = browser.service.world();
    const connect: Connect = (start, tell) => (this.connection = new FeedConnection(start, world, tell));
    this.sharing = new Sharing('sse', browser.lockOf(this), channel, connect, (arrived) => this.keep(arrived));
  }

  get shown(): number[] {
    return this.sharing.recent.map((each) => each.notification.orderId);
  }

  /** The process is gone: nothing more is said or heard, and the browser gives its lock to the next. */
  die(): void {
    this.dead = true;
    this.browser.tabs.delete(this);
    this.connection?.stop();
    this.browser.release(this);
  }

  private keep(arrived: readonly Arrival[]): void {
    if (!this.dead) this.heard.push(...arrived.map((each) => each.notification.orderId));
  }

  private post(message: Message): void {
    if (this.mute || this.dead) return;
    const copy: unknown = structuredClone(message);
    for (const tab of this.browser.tabs) if (tab !== this) tab.hear?.(copy);
  }
}

describe('Tabs that share the feed', () => {
  let service: ModelService;
  let browser: Browser;

  beforeEach(() => {
    service = new ModelService(chance(11));
    browser = new Browser(service);
  });

  it('have one connection, and each hears everything once', async () => {
    const tabs = [browser.open(), browser.open(), browser.open()];
    await service.pass(1000);
    service.append(3);
    expect(service.clients.size).toBe(1);
    expect(tabs.map((each) => each.heard)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(tabs.map((each) => each.sharing.leader)).toEqual([true, false, false]);
    expect(tabs.map((each) => each.sharing.status.state)).toEqual(['live', 'live', 'live']);
    expect(tabs[2]?.sharing.status.counts.received).toBe(3);
  });

  it('show a new one what came before it, without calling it news', async () => {
    browser.open();
    await service.pass(1000);
    service.append(3);
    const late = browser.open();
    service.append(1);
    expect(late.shown).toEqual([4, 3, 2, 1]);
    expect(late.heard).toEqual([4]);
    expect(late.sharing.status.state).toBe('live');
  });

  it('keep a bounded number', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.pass(1000);
    service.append(RECENT_LIMIT + 10);
    expect(first.shown).toHaveLength(RECENT_LIMIT);
    expect(second.shown).toEqual(first.shown);
    expect(second.shown[0]).toBe(RECENT_LIMIT + 10);
  });

  it('go on with another leader where the old one was', async () => {
    const [first, second, third] = [browser.open(), browser.open(), browser.open()];
    await service.pass(1000);
    service.append(2);
    first.die();
    service.append(2);
    await service.pass(1000);
    service.append(1);
    expect(second.sharing.leader).toBe(true);
    expect(second.heard).toEqual([1, 2, 3, 4, 5]);
    expect(third.heard).toEqual([1, 2, 3, 4, 5]);
    expect(service.clients.size).toBe(1);
    expect(third.sharing.status.counts).toMatchObject({ received: 5, missed: 2, reconnects: 1 });
  });

  it('lose nothing that a leader had heard and not told when it died', async () => {
    const [first, second, third] = [browser.open(), browser.open(), browser.open()];
    await service.pass(1000);
    service.append(2);
    first.mute = true;
    service.append(2);
    expect(first.heard).toEqual([1, 2, 3, 4]);
    expect(second.heard).toEqual([1, 2]);
    first.die();
    await service.pass(1000);
    service.append(1);
    expect(second.heard).toEqual([1, 2, 3, 4, 5]);
    expect(third.heard).toEqual([1, 2, 3, 4, 5]);
  });

  it('switch together, whichever of them is asked', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.pass(1000);
    second.sharing.use('ws');
    expect(second.sharing.status.protocol).toBe('ws');
    await service.pass(1000);
    service.append(1);
    expect(first.sharing.status.protocol).toBe('ws');
    expect([...service.clients].map((each) => each.protocol)).toEqual(['ws']);
    expect(second.sharing.recent[0]?.protocol).toBe('ws');
  });

  it('show what was chosen, though the leader speaks before it has heard so', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.pass(1000);
    const hear = first.hear;
    const unheard: unknown[] = [];
    first.hear = (message) => unheard.push(message);
    second.sharing.use('ws');
    service.append(1);
    expect(second.sharing.status.protocol).toBe('ws');
    for (const message of unheard) hear?.(message);
    await service.pass(1000);
    expect([first, second].map((each) => each.sharing.status.protocol)).toEqual(['ws', 'ws']);
    first.sharing.use('sse');
    expect(second.sharing.status.protocol).toBe('sse');
  });

  it('take over with the protocol that was chosen last', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.pass(1000);
    first.sharing.use('ws');
    await service.pass(1000);
    first.die();
    await service.pass(1000);
    expect(second.sharing.status).toMatchObject({ protocol: 'ws', state: 'live' });
  });

  it('ask for what they did not hear', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.pass(1000);
    service.append(1);
    first.mute = true;
    service.append(2);
    first.mute = false;
    service.append(1);
    expect(second.heard).toEqual([1, 2, 3, 4]);
    expect(second.shown).toEqual([4, 3, 2, 1]);
  });

  it('hand the connection over when a page is left in order', async () => {
    const [first, second] = [browser.open(), browser.open()];
    await service.pass(1000);
    first.sharing.stop();
    await service.pass(1000);
    service.append(1);
    expect(second.heard).toEqual([1]);
    expect(service.clients.size).toBe(1);
  });

  it('take no notice of what another version of the page says', async () => {
    const first = browser.open();
    await service.pass(1000);
    for (const message of [null, 'hello', { type: 'more' }, []]) first.hear?.(message);
    expect(first.sharing.status.state).toBe('live');
  });

  it.each(Array.from({ length: 30 }, (_, index) => index + 1))(
    'hear each notification once while tabs come and go (seed %i)',
    async (seed) => {
      const random = chance(seed);
      const service = new ModelService(random);
      const browser = new Browser(service);
      const openedAt = new Map<Tab, number>();
      const open = (): unknown => openedAt.set(browser.open(), service.log.length);
      open();
      await service.pass(1000);
      for (let step = 0; step < 100; step++) {
        const pick = random();
        const [...tabs] = browser.tabs;
        const any = tabs[Math.floor(random() * tabs.length)];
        if (pick < 0.15) open();
        else if (pick < 0.3 && tabs.length > 1) (random() < 0.7 ? browser.holder : any)?.die();
        else if (pick < 0.4) any?.sharing.use(random() < 0.5 ? 'sse' : 'ws');
        else if (pick < 0.5) service.cut();
        else if (pick < 0.6 && browser.holder !== null && tabs.length > 1) await dieUnheard(browser.holder, service);
        else service.append(1 + Math.floor(random() * 3));
        await service.pass(random() * 3000);
      }
      await service.pass(60_000);
      for (const tab of browser.tabs) {
        expect(tab.heard).toEqual(service.log.slice(service.log.length - tab.heard.length));
        expect(tab.heard.length).toBeGreaterThanOrEqual(service.log.length - (openedAt.get(tab) ?? 0));
      }
      expect(service.clients.size).toBe(1);
    },
  );
});

async function dieUnheard(leader: Tab, service: ModelService): Promise<void> {
  leader.mute = true;
  service.append(2);
  await service.pass(1);
  leader.die();
}

describe('A tab of a browser without locks', () => {
  it('has a connection of its own', async () => {
    const service = new ModelService(chance(2));
    const heard: number[] = [];
    const world = service.world();
    const sharing = new Sharing(
      'ws',
      null,
      null,
      (start, tell) => new FeedConnection(start, world, tell),
      (arrived) => heard.push(...arrived.map((each) => each.notification.orderId)),
    );
    sharing.start();
    await service.pass(1000);
    service.append(2);
    expect(sharing.leader).toBe(true);
    expect(heard).toEqual([1, 2]);
  });
});
