import { Arrival, FeedConnection } from './connection.js';
import { Start } from './state-machine.js';
import { Protocol } from './notification.js';
import { seededRandom } from './testing/seeded-random.js';
import { ModelService } from './testing/model-service.js';

const PROTOCOLS: readonly Protocol[] = ['sse', 'ws'];

function follow(service: ModelService, start: Start = { protocol: 'sse' }): Follower {
  const received: number[] = [];
  const arrivals: Arrival[] = [];
  const connection = new FeedConnection(start, service.runtime(), (arrived) => {
    arrivals.push(...arrived);
    received.push(...arrived.map((each) => each.notification.orderId));
  });
  connection.start();
  return { connection, received, arrivals };
}

interface Follower {
  readonly connection: FeedConnection;
  readonly received: number[];
  readonly arrivals: Arrival[];
}

function upTo(last: number, first = 1): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe.each(PROTOCOLS)('A connection to the feed over %s', (protocol) => {
  let service: ModelService;

  beforeEach(() => {
    service = new ModelService(seededRandom(7));
  });

  it('delivers new notifications in order', async () => {
    service.append(5);
    const { received, connection, arrivals } = follow(service, { protocol });
    expect(connection.state).toBe('connecting');
    await service.advance(1000);
    expect(connection.state).toBe('live');
    service.append(3);
    expect(received).toEqual([6, 7, 8]);
    expect(arrivals[0]).toMatchObject({ protocol, receivedAt: service.clock, bytes: 300 });
    expect(connection.counts).toEqual({ received: 3, missed: 0, resets: 0, reconnects: 0, malformed: 0 });
  });

  it('is delayed from the heartbeat that says so to the next that does not', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    expect([connection.state, connection.delayedSince]).toEqual(['live', null]);
    service.delayedMs = 9_000;
    await service.advance(service.heartbeatMs);
    expect(connection.state).toBe('delayed');
    expect(connection.delayedSince).toBeLessThanOrEqual(service.clock - 9_000);
    service.append(1);
    expect([connection.state, received]).toEqual(['delayed', [1]]);
    service.delayedMs = null;
    await service.advance(service.heartbeatMs);
    expect([connection.state, connection.delayedSince]).toEqual(['live', null]);
  });

  it('is delayed from the beginning when the welcome says so, and waits when it is closed', async () => {
    service.delayedMs = 9_000;
    const { connection } = follow(service, { protocol });
    await service.advance(1000);
    expect(connection.state).toBe('delayed');
    service.cut();
    expect([connection.state, connection.delayedSince]).toEqual(['waiting', null]);
    service.delayedMs = null;
    await service.advance(20_000);
    expect(connection.state).toBe('live');
  });

  it('reconnects with the last id and counts missed notifications', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    service.append(2);
    service.cut();
    expect(connection.state).toBe('waiting');
    service.append(3);
    await service.advance(20_000);
    service.append(1);
    expect(received).toEqual(upTo(6));
    expect(connection.counts).toMatchObject({ received: 6, missed: 3, reconnects: 1 });
  });

  it('reconnects with exponential back-off and full jitter', async () => {
    const { connection } = follow(service, { protocol });
    await service.advance(1000);
    service.up = false;
    service.cut();
    await service.advance(600_000);
    const gaps = service.opened.slice(1).map((each, index) => each.at - (service.opened[index]?.at ?? 0));
    expect(gaps.length).toBeGreaterThan(75);
    expect(gaps.length).toBeLessThan(250);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(8100);
    expect(new Set(gaps).size).toBe(gaps.length);
    service.up = true;
    await service.advance(9000);
    expect(connection.state).toBe('live');
  });

  it('closes a silent connection', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    service.silence();
    service.append(2);
    await service.advance(48_000);
    expect(received).toEqual([1, 2]);
    expect(connection.counts).toMatchObject({ missed: 2, reconnects: 1 });
  });

  it('closes a silent connection sooner when heartbeats come more often', async () => {
    service.heartbeatMs = 5_000;
    service.saysHeartbeat = true;
    const { connection } = follow(service, { protocol });
    await service.advance(1000);
    const { heardAt } = connection;
    service.silence();
    await service.advance(11_000);
    expect(connection.state).toBe('live');
    expect(connection.heardAt).toBe(heardAt);
    service.up = false;
    await service.advance(1_000);
    expect(connection.state).toBe('waiting');
    service.up = true;
    await service.advance(60_000);
    expect(connection.state).toBe('live');
    expect(connection.heardAt).toBeGreaterThan(service.clock - 5_001);
  });

  it('keeps an idle connection', async () => {
    const { connection } = follow(service, { protocol });
    await service.advance(600_000);
    expect(service.opened).toHaveLength(1);
    expect(connection.counts.reconnects).toBe(0);
  });

  it('reads a lost notification from the history', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    service.faults.push('lost');
    service.append(2);
    await service.advance(0);
    expect(received).toEqual([1, 2]);
    expect(connection.counts).toMatchObject({ received: 2, missed: 1, reconnects: 0 });
  });

  it('counts malformed data and reads the notification from the history', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    service.faults.push('malformed');
    service.append(2);
    await service.advance(0);
    expect(received).toEqual([1, 2]);
    expect(connection.counts).toMatchObject({ malformed: 1, missed: 1 });
  });

  it('reads the history after a reset, page by page, while notifications arrive', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    service.append(10);
    service.up = false;
    service.cut();
    service.append(700);
    service.floor = 20;
    service.up = true;
    await service.advance(2000);
    service.append(2);
    await service.advance(0);
    expect(received).toEqual([...upTo(10), ...upTo(712, 21)]);
    expect(connection.counts).toMatchObject({ resets: 1, missed: 690, received: 702 });
  });

  it('delivers no duplicates after a restore changes the epoch', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    service.append(10);
    service.restore(4);
    service.append(3);
    await service.advance(20_000);
    service.append(2);
    await service.advance(0);
    expect(received).toEqual(upTo(15));
    expect(connection.counts).toMatchObject({ resets: 1, missed: 3 });
    expect(connection.position).toEqual(service.head);
  });

  it('retries from the same position when the history can not be read', async () => {
    const { received } = follow(service, { protocol });
    await service.advance(1000);
    service.append(5);
    service.readable = false;
    service.restore(0);
    service.append(1);
    await service.advance(20_000);
    expect(received).toEqual(upTo(5));
    service.readable = true;
    await service.advance(9000);
    expect(received).toEqual(upTo(6));
  });

  it('delivers everything that is stored, from the earliest on', async () => {
    service.append(5);
    service.floor = 2;
    const { received, connection } = follow(service, { protocol, after: 'earliest' });
    await service.advance(1000);
    service.cut();
    service.append(1);
    await service.advance(9000);
    expect(received).toEqual([3, 4, 5, 6]);
    expect(service.opened.map((each) => each.after)).toEqual(['earliest', 'a-5']);
    expect(connection.counts).toMatchObject({ received: 4, missed: 1, resets: 0 });
  });

  it('resumes from the welcome when nothing else came', async () => {
    service.append(4);
    const { received } = follow(service, { protocol });
    await service.advance(1000);
    service.up = false;
    service.cut();
    service.append(2);
    service.up = true;
    await service.advance(9000);
    expect(service.opened.map((each) => each.after)).toEqual([null, 'a-4']);
    expect(received).toEqual([5, 6]);
  });

  it('starts at the head once the service is reachable', async () => {
    service.append(3);
    service.up = false;
    const { received, connection } = follow(service, { protocol });
    await service.advance(5000);
    expect(connection.state).toBe('waiting');
    service.up = true;
    await service.advance(9000);
    service.append(1);
    expect(received).toEqual([4]);
  });

  it('reports offline and reconnects at once when online', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    service.up = false;
    connection.offline();
    expect(connection.state).toBe('offline');
    service.append(2);
    await service.advance(120_000);
    expect(connection.state).toBe('offline');
    service.up = true;
    connection.online();
    await service.advance(600);
    expect(connection.state).toBe('live');
    expect(received).toEqual([1, 2]);
  });

  it('connects to its own machine while the browser reports offline', async () => {
    const { connection } = follow(service, { protocol });
    await service.advance(1000);
    connection.offline();
    await service.advance(5000);
    expect(connection.state).toBe('live');
  });

  it('switches the protocol without gaps or duplicates', async () => {
    const other = protocol === 'sse' ? 'ws' : 'sse';
    const { received, connection, arrivals } = follow(service, { protocol });
    await service.advance(1000);
    service.append(2);
    connection.use(other);
    service.append(2);
    expect(connection.state).toBe('live');
    await service.advance(1);
    service.append(2);
    await service.advance(1000);
    service.append(2);
    expect(received).toEqual(upTo(8));
    expect(arrivals.map((each) => each.protocol)).toEqual([...Array<Protocol>(6).fill(protocol), other, other]);
    expect(service.clients.size).toBe(1);
    expect(connection.counts).toMatchObject({ received: 8, missed: 0, reconnects: 0 });
  });

  it('keeps the connection when the other protocol is unreachable', async () => {
    const { received, connection, arrivals } = follow(service, { protocol });
    await service.advance(1000);
    service.up = false;
    connection.use(protocol === 'sse' ? 'ws' : 'sse');
    await service.advance(30_000);
    service.append(1);
    expect(connection.state).toBe('live');
    expect(received).toEqual([1]);
    connection.use(protocol);
    await service.advance(30_000);
    service.append(1);
    expect(arrivals.map((each) => each.protocol)).toEqual([protocol, protocol]);
    expect(service.clients.size).toBe(1);
  });

  it('resumes from the position of another tab', async () => {
    service.append(4);
    const { received, connection } = follow(service, { protocol, after: { epoch: 'a', seq: 2 } });
    await service.advance(1000);
    expect(received).toEqual([3, 4]);
    expect(connection.counts).toMatchObject({ received: 2, missed: 2, reconnects: 1 });
  });

  it('closes all connections when stopped', async () => {
    const { received, connection } = follow(service, { protocol });
    await service.advance(1000);
    connection.stop();
    service.append(1);
    await service.advance(100_000);
    expect(received).toEqual([]);
    expect(service.clients.size).toBe(0);
    expect(service.opened).toHaveLength(1);
  });
});

describe('A connection that the service closes', () => {
  it.each(PROTOCOLS)('reconnects after the time that came with the bye over %s', async (protocol) => {
    const service = new ModelService(seededRandom(3));
    follow(service, { protocol });
    await service.advance(1000);
    const [client] = service.clients;
    service.end(client!, { type: 'bye', retryMs: 2500, reason: 'age' }, { type: 'closed', code: 1012 });
    const endedAt = service.clock;
    await service.advance(10_000);
    expect(service.opened[1]?.at).toBe(endedAt + 2500);
  });
});

describe('A feed that ends by itself', () => {
  it.each(PROTOCOLS)('does not connect again over %s, unless it is started', async (protocol) => {
    const service = new ModelService(seededRandom(3));
    const { connection, received } = follow(service, { protocol });
    await service.advance(1000);
    const [client] = service.clients;
    service.end(client!, { type: 'bye', retryMs: 5, reason: 'disconnected' }, { type: 'closed', code: null });
    service.append(2);
    connection.online();
    connection.use(protocol === 'ws' ? 'sse' : 'ws');
    await service.advance(600_000);
    expect(service.opened).toHaveLength(1);
    expect([connection.state, connection.end]).toEqual(['ended', { reason: 'disconnected' }]);
    connection.start();
    await service.advance(1000);
    expect([connection.state, connection.end]).toEqual(['live', null]);
    expect(received).toEqual([1, 2]);
  });
});

describe('A connection with random faults', () => {
  it.each(upTo(60))('delivers each notification once and in order (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const service = new ModelService(random);
    service.append(Math.floor(random() * 5));
    const first = service.log.length + 1;
    const { received, connection } = follow(service, { protocol: random() < 0.5 ? 'sse' : 'ws' });
    await service.advance(1000);
    for (let step = 0; step < 150; step++) {
      upset(service, connection, random);
      await service.advance(random() * random() * 20_000);
    }
    await recovered(service, connection);
    expect(received).toEqual(upTo(service.log.at(-1) ?? 0, first));
    expect(connection.counts.received).toBe(received.length);
    expect(connection.position).toEqual(service.head);
  });

  it.each(upTo(30))('delivers no duplicates with restores too (seed %i)', async (seed) => {
    const random = seededRandom(1000 + seed);
    const service = new ModelService(random);
    const { received, connection } = follow(service);
    await service.advance(1000);
    for (let step = 0; step < 100; step++) {
      if (random() < 0.05) service.restore(Math.floor(random() * 4));
      else upset(service, connection, random);
      await service.advance(random() * random() * 20_000);
    }
    await recovered(service, connection);
    expect(new Set(received).size).toBe(received.length);
    expect(received).toEqual([...received].sort((one, other) => one - other));
    expect(service.log.filter((each) => !received.includes(each))).toEqual([]);
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
    () =>
      [...service.clients].forEach((each) =>
        service.end(
          each,
          { type: 'bye', retryMs: random() * 3000, reason: 'token-expired' },
          { type: 'closed', code: each.protocol === 'ws' ? 4401 : 200 },
        ),
      ),
  ];
  acts[Math.floor(random() * acts.length)]?.();
}

async function recovered(service: ModelService, connection: FeedConnection): Promise<void> {
  service.up = true;
  service.readable = true;
  service.faults.length = 0;
  connection.online();
  await service.advance(120_000);
  service.append(1);
  await service.advance(120_000);
}
