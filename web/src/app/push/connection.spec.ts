import { Arrival, FeedConnection } from './connection';
import { Start } from './machine';
import { Protocol } from './notification';
import { chance } from './testing/chance';
import { ModelService } from './testing/model-service';

const PROTOCOLS: readonly Protocol[] = ['sse', 'ws'];

function follow(service: ModelService, start: Start = { protocol: 'sse' }): Follower {
  const heard: number[] = [];
  const arrivals: Arrival[] = [];
  const connection = new FeedConnection(start, service.world(), (arrived) => {
    arrivals.push(...arrived);
    heard.push(...arrived.map((each) => each.notification.orderId));
  });
  connection.start();
  return { connection, heard, arrivals };
}

interface Follower {
  readonly connection: FeedConnection;
  readonly heard: number[];
  readonly arrivals: Arrival[];
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe.each(PROTOCOLS)('A connection to the feed over %s', (protocol) => {
  let service: ModelService;

  beforeEach(() => {
    service = new ModelService(chance(7));
  });

  it('delivers what happens from now on, in order', async () => {
    service.append(5);
    const { heard, connection, arrivals } = follow(service, { protocol });
    expect(connection.state).toBe('connecting');
    await service.pass(1000);
    expect(connection.state).toBe('live');
    service.append(3);
    expect(heard).toEqual([6, 7, 8]);
    expect(arrivals[0]).toMatchObject({ protocol, receivedAt: service.clock, bytes: 300 });
    expect(connection.counts).toEqual({ received: 3, missed: 0, resets: 0, reconnects: 0, malformed: 0 });
  });

  it('comes back with the last id, and counts what it missed', async () => {
    const { heard, connection } = follow(service, { protocol });
    await service.pass(1000);
    service.append(2);
    service.cut();
    expect(connection.state).toBe('waiting');
    service.append(3);
    await service.pass(20_000);
    service.append(1);
    expect(heard).toEqual(upTo(6));
    expect(connection.counts).toMatchObject({ received: 6, missed: 3, reconnects: 1 });
  });

  it('waits longer and longer while nothing answers, and not at all the same each time', async () => {
    const { connection } = follow(service, { protocol });
    await service.pass(1000);
    service.up = false;
    service.cut();
    await service.pass(600_000);
    const gaps = service.opened.slice(1).map((each, index) => each.at - (service.opened[index]?.at ?? 0));
    expect(gaps.length).toBeGreaterThan(75);
    expect(gaps.length).toBeLessThan(250);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(8100);
    expect(new Set(gaps).size).toBe(gaps.length);
    service.up = true;
    await service.pass(9000);
    expect(connection.state).toBe('live');
  });

  it('ends a connection that has died without a word', async () => {
    const { heard, connection } = follow(service, { protocol });
    await service.pass(1000);
    service.silence();
    service.append(2);
    await service.pass(48_000);
    expect(heard).toEqual([1, 2]);
    expect(connection.counts).toMatchObject({ missed: 2, reconnects: 1 });
  });

  it('leaves a quiet connection alone', async () => {
    const { connection } = follow(service, { protocol });
    await service.pass(600_000);
    expect(service.opened).toHaveLength(1);
    expect(connection.counts.reconnects).toBe(0);
  });

  it('reads what a connection lost on the way', async () => {
    const { heard, connection } = follow(service, { protocol });
    await service.pass(1000);
    service.faults.push('lost');
    service.append(2);
    await service.pass(0);
    expect(heard).toEqual([1, 2]);
    expect(connection.counts).toMatchObject({ received: 2, missed: 1, reconnects: 0 });
  });

  it('counts malformed data, and reads from the history what it should have been', async () => {
    const { heard, connection } = follow(service, { protocol });
    await service.pass(1000);
    service.faults.push('malformed');
    service.append(2);
    await service.pass(0);
    expect(heard).toEqual([1, 2]);
    expect(connection.counts).toMatchObject({ malformed: 1, missed: 1 });
  });

  it('reads the history after a reset, page by page, while more comes in', async () => {
    const { heard, connection } = follow(service, { protocol });
    await service.pass(1000);
    service.append(10);
    service.up = false;
    service.cut();
    service.append(700);
    service.floor = 20;
    service.up = true;
    await service.pass(2000);
    service.append(2);
    await service.pass(0);
    expect(heard).toEqual([...upTo(10), ...upTo(712, 21)]);
    expect(connection.counts).toMatchObject({ resets: 1, missed: 690, received: 702 });
  });

  it('delivers nothing twice when a restored database brings other ids', async () => {
    const { heard, connection } = follow(service, { protocol });
    await service.pass(1000);
    service.append(10);
    service.restore(4);
    service.append(3);
    await service.pass(20_000);
    service.append(2);
    await service.pass(0);
    expect(heard).toEqual(upTo(15));
    expect(connection.counts).toMatchObject({ resets: 1, missed: 3 });
    expect(connection.position).toEqual(service.head);
  });

  it('tries again from the same place when the history can not be read', async () => {
    const { heard } = follow(service, { protocol });
    await service.pass(1000);
    service.append(5);
    service.readable = false;
    service.restore(0);
    service.append(1);
    await service.pass(20_000);
    expect(heard).toEqual(upTo(5));
    service.readable = true;
    await service.pass(9000);
    expect(heard).toEqual(upTo(6));
  });

  it('begins where the feed is once the service can be asked', async () => {
    service.append(3);
    service.up = false;
    const { heard, connection } = follow(service, { protocol });
    await service.pass(5000);
    expect(connection.state).toBe('waiting');
    service.up = true;
    await service.pass(9000);
    service.append(1);
    expect(heard).toEqual([4]);
  });

  it('says that the browser is offline, and comes back at once when it no longer is', async () => {
    const { heard, connection } = follow(service, { protocol });
    await service.pass(1000);
    service.up = false;
    connection.offline();
    expect(connection.state).toBe('offline');
    service.append(2);
    await service.pass(120_000);
    expect(connection.state).toBe('offline');
    service.up = true;
    connection.online();
    await service.pass(600);
    expect(connection.state).toBe('live');
    expect(heard).toEqual([1, 2]);
  });

  it('connects to its own machine even while the browser calls itself offline', async () => {
    const { connection } = follow(service, { protocol });
    await service.pass(1000);
    connection.offline();
    await service.pass(5000);
    expect(connection.state).toBe('live');
  });

  it('switches while notifications flow, without a hole or a double', async () => {
    const other = protocol === 'sse' ? 'ws' : 'sse';
    const { heard, connection, arrivals } = follow(service, { protocol });
    await service.pass(1000);
    service.append(2);
    connection.use(other);
    service.append(2);
    expect(connection.state).toBe('live');
    await service.pass(1);
    service.append(2);
    await service.pass(1000);
    service.append(2);
    expect(heard).toEqual(upTo(8));
    expect(arrivals.map((each) => each.protocol)).toEqual([...Array<Protocol>(6).fill(protocol), other, other]);
    expect(service.clients.size).toBe(1);
    expect(connection.counts).toMatchObject({ received: 8, missed: 0, reconnects: 0 });
  });

  it('keeps what works when the other protocol can not be had', async () => {
    const { heard, connection, arrivals } = follow(service, { protocol });
    await service.pass(1000);
    service.up = false;
    connection.use(protocol === 'sse' ? 'ws' : 'sse');
    await service.pass(30_000);
    service.append(1);
    expect(connection.state).toBe('live');
    expect(heard).toEqual([1]);
    connection.use(protocol);
    await service.pass(30_000);
    service.append(1);
    expect(arrivals.map((each) => each.protocol)).toEqual([protocol, protocol]);
    expect(service.clients.size).toBe(1);
  });

  it('goes on from where another tab was', async () => {
    service.append(4);
    const { heard, connection } = follow(service, { protocol, position: { epoch: 'a', seq: 2 } });
    await service.pass(1000);
    expect(heard).toEqual([3, 4]);
    expect(connection.counts).toMatchObject({ received: 2, missed: 2, reconnects: 1 });
  });

  it('ends everything when it is stopped', async () => {
    const { heard, connection } = follow(service, { protocol });
    await service.pass(1000);
    connection.stop();
    service.append(1);
    await service.pass(100_000);
    expect(heard).toEqual([]);
    expect(service.clients.size).toBe(0);
    expect(service.opened).toHaveLength(1);
  });
});

describe('A connection that is sent away', () => {
  it('comes back after the time that a WebSocket is told', async () => {
    const service = new ModelService(chance(3));
    follow(service, { protocol: 'ws' });
    await service.pass(1000);
    const [client] = service.clients;
    service.end(client!, { type: 'bye', retryMs: 2500 }, { type: 'closed', code: 1012 });
    const endedAt = service.clock;
    await service.pass(10_000);
    expect(service.opened[1]?.at).toBe(endedAt + 2500);
  });

  it.each<[Protocol, number | null]>([
    ['ws', 1013],
    ['sse', null],
  ])('stays away for 5 to 15 s when there is no room for %s', async (protocol, code) => {
    const service = new ModelService(chance(5));
    follow(service, { protocol });
    while (service.clients.size === 0) await service.pass(10);
    service.end([...service.clients][0]!, { type: 'closed', code });
    await service.pass(5000);
    expect(service.opened).toHaveLength(1);
    await service.pass(10_100);
    expect(service.opened).toHaveLength(2);
  });
});

describe('A connection among faults of every kind', () => {
  it.each(upTo(60))('delivers each notification once and in order (seed %i)', async (seed) => {
    const random = chance(seed);
    const service = new ModelService(random);
    service.append(Math.floor(random() * 5));
    const first = service.log.length + 1;
    const { heard, connection } = follow(service, { protocol: random() < 0.5 ? 'sse' : 'ws' });
    await service.pass(1000);
    for (let step = 0; step < 150; step++) {
      upset(service, connection, random);
      await service.pass(random() * random() * 20_000);
    }
    await recovered(service, connection);
    expect(heard).toEqual(upTo(service.log.at(-1) ?? 0, first));
    expect(connection.counts.received).toBe(heard.length);
    expect(connection.position).toEqual(service.head);
  });

  it.each(upTo(30))('delivers nothing twice when databases are restored as well (seed %i)', async (seed) => {
    const random = chance(1000 + seed);
    const service = new ModelService(random);
    const { heard, connection } = follow(service);
    await service.pass(1000);
    for (let step = 0; step < 100; step++) {
      if (random() < 0.05) service.restore(Math.floor(random() * 4));
      else upset(service, connection, random);
      await service.pass(random() * random() * 20_000);
    }
    await recovered(service, connection);
    expect(new Set(heard).size).toBe(heard.length);
    expect(heard).toEqual([...heard].sort((one, other) => one - other));
    expect(service.log.filter((each) => !heard.includes(each))).toEqual([]);
  });
});

function upset(service: ModelService, connection: FeedConnection, random: () => number): void {
  const acts: readonly (() => void)[] = [
    () => service.append(1 + Math.floor(random() * 5)),
    () => service.append(1),
    () => service.append(random() < 0.1 ? 450 : 1),
    () => service.cut(),
    () => service.silence(),
    () => (service.up = !service.up),
    () => (service.readable = !service.readable),
    () => service.faults.push('lost'),
    () => service.faults.push('malformed'),
    () => connection.use(random() < 0.5 ? 'sse' : 'ws'),
    () => connection.offline(),
    () => connection.online(),
    () => [...service.clients].forEach((each) => service.end(each, { type: 'closed', code: 1013 })),
  ];
  acts[Math.floor(random() * acts.length)]?.();
}

async function recovered(service: ModelService, connection: FeedConnection): Promise<void> {
  service.up = true;
  service.readable = true;
  service.faults.length = 0;
  connection.online();
  await service.pass(120_000);
  service.append(1);
  await service.pass(120_000);
}
