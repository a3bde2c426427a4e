import { ConnectionEvent } from './frames.js';
import { NetworkOptions, networkRuntime } from './network.js';
import { notificationAt } from './testing/notifications.js';

const NOTIFICATION = notificationAt({ epoch: 'a', seq: 8 });
const WELCOME = '{"type":"welcome","id":"a-7","head":"a-8","resumed":true}';
const STREAM = [
  `retry: 500\nevent: welcome\nid: a-7\ndata: ${WELCOME}\n\n`,
  `id: a-8\ndata: ${JSON.stringify({ ...NOTIFICATION, message: 'ü' })}\n\n`,
  'event: reset\nid: a-9\ndata: {"type":"reset","id":"a-9"}\n\n',
].join('');

class FakeSocket extends EventTarget {
  static last: FakeSocket | null = null;
  closed = false;

  constructor(readonly url: URL) {
    super();
    FakeSocket.last = this;
  }

  close(): void {
    this.closed = true;
  }

  receive(data: unknown): void {
    this.dispatchEvent(new MessageEvent('message', { data }));
  }

  end(code: number): void {
    this.dispatchEvent(Object.assign(new Event('close'), { code }));
  }
}

/** A body in pieces of one byte. */
function body(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller): void {
      for (const byte of new TextEncoder().encode(text)) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
}

describe('The network', () => {
  let received: ConnectionEvent[];
  let asked: string[];
  let answer: () => Response;
  const onEvent = (each: ConnectionEvent): unknown => received.push(each);
  const types = (): string[] => received.map((each) => each.type);

  function runtime(options: Partial<NetworkOptions> = {}): ReturnType<typeof networkRuntime> {
    return networkRuntime({
      address: (path) => new URL(`https://shop.example/api${path}`),
      fetch: (url) => {
        asked.push(String(url));
        return Promise.resolve(answer());
      },
      WebSocket: FakeSocket,
      ...options,
    });
  }

  beforeEach(() => {
    received = [];
    asked = [];
    answer = (): Response => new Response(body(STREAM));
    FakeSocket.last = null;
  });

  it('follows a stream to its end, in whatever pieces it comes', async () => {
    runtime().open('sse', 'a-7', onEvent);
    await vi.waitFor(() => expect(types()).toEqual(['opened', 'event', 'reset', 'closed']));
    expect(asked).toEqual(['https://shop.example/api/stream?lastEventId=a-7']);
    expect(received.at(-1)).toEqual({ type: 'closed', code: 200 });
  });

  it('asks for heartbeats, except of a service that refuses that', async () => {
    const network = runtime({ heartbeatS: 5 });
    network.open('sse', null, onEvent);
    await vi.waitFor(() => expect(types().at(-1)).toBe('closed'));
    answer = (): Response => new Response('', { status: 422 });
    network.open('sse', 'a-7', onEvent);
    await vi.waitFor(() => expect(received.at(-1)).toEqual({ type: 'closed', code: 422 }));
    network.open('sse', 'a-7', onEvent);
    await vi.waitFor(() => expect(asked).toHaveLength(3));
    expect(asked.map((each) => each.split('?')[1])).toEqual([
      'heartbeat=5',
      'heartbeat=5&lastEventId=a-7',
      'lastEventId=a-7',
    ]);
  });

  it('finds out by a stream whether a socket was refused for its heartbeats', async () => {
    const network = runtime({ heartbeatS: 5 });
    const opened = async (): Promise<FakeSocket> => {
      const before = FakeSocket.last;
      network.open('ws', 'a-7', onEvent);
      await vi.waitFor(() => expect(FakeSocket.last).not.toBe(before));
      return FakeSocket.last!;
    };
    // as when it is unreachable
    answer = (): Response => new Response('', { status: 502 });
    (await opened()).end(1006);
    await vi.waitFor(() => expect(asked).toEqual(['https://shop.example/api/stream?heartbeat=5']));
    answer = (): Response => new Response('', { status: 422 });
    const refused = await opened();
    expect(refused.url.search).toBe('?heartbeat=5&lastEventId=a-7');
    refused.end(1006);
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    await vi.waitFor(async () => expect((await opened()).url.search).toBe('?lastEventId=a-7'));
    FakeSocket.last!.end(1006);
    expect(asked).toHaveLength(2);
    expect(types()).toEqual(['closed', 'closed', 'closed']);
  });

  it('asks nothing when a socket ends that had heartbeats', async () => {
    runtime({ heartbeatS: 5 }).open('ws', null, onEvent);
    await vi.waitFor(() => expect(FakeSocket.last).not.toBeNull());
    FakeSocket.last!.receive(WELCOME);
    FakeSocket.last!.end(1006);
    await vi.waitFor(() => expect(types()).toEqual(['opened', 'closed']));
    expect(asked).toEqual([]);
  });

  it('tells the status of a stream that is refused', async () => {
    answer = (): Response => new Response('event: welcome\n\n', { status: 422 });
    runtime().open('sse', null, onEvent);
    await vi.waitFor(() => expect(received).toEqual([{ type: 'closed', code: 422 }]));
    expect(asked).toEqual(['https://shop.example/api/stream']);
  });

  it('follows a socket', async () => {
    runtime().open('ws', 'earliest', onEvent);
    await vi.waitFor(() => expect(FakeSocket.last).not.toBeNull());
    const socket = FakeSocket.last!;
    expect(socket.url.href).toBe('wss://shop.example/api/ws?lastEventId=earliest');
    socket.receive(WELCOME);
    socket.receive(JSON.stringify({ type: 'event', id: 'a-8', data: NOTIFICATION }));
    socket.receive('{"type":"error","detail":""}');
    socket.receive(new Blob());
    socket.dispatchEvent(new Event('error'));
    socket.end(1012);
    expect(types()).toEqual(['opened', 'event', 'malformed', 'closed']);
    expect(received.at(-1)).toEqual({ type: 'closed', code: 1012 });
  });

  it('tells nothing of a connection that was closed', async () => {
    runtime().open('sse', null, onEvent)();
    const closeSocket = runtime().open('ws', null, onEvent);
    await vi.waitFor(() => expect(FakeSocket.last).not.toBeNull());
    closeSocket();
    FakeSocket.last!.end(1006);
    expect(FakeSocket.last).toMatchObject({ closed: true });
    expect(received).toEqual([]);
  });

  it('asks for the parameters of each connection, and adds the filter to all requests', async () => {
    let tickets = 0;
    const network = runtime({
      filter: { orderIds: [1, 2], kinds: ['CLOSED'] },
      parameters: () => Promise.resolve({ ticket: (++tickets).toString() }),
    });
    network.open('sse', 'a-7', onEvent);
    network.open('ws', null, onEvent);
    await vi.waitFor(() => expect(FakeSocket.last?.url.search).toBe('?ticket=2&orderId=1&orderId=2&kind=CLOSED'));
    answer = (): Response => new Response('{}');
    await network.read('a-7', 200);
    expect(asked.map((each) => new URL(each).search)).toEqual([
      '?ticket=1&lastEventId=a-7&orderId=1&orderId=2&kind=CLOSED',
      '?after=a-7&limit=200&orderId=1&orderId=2&kind=CLOSED',
    ]);
  });

  it.each<[string, Partial<NetworkOptions>]>([
    ['without parameters', { parameters: () => Promise.reject(new Error('signed out')) }],
    ['without a network', { fetch: () => Promise.reject(new TypeError('unreachable')) }],
  ])('tells of a connection %s as closed', async (_, options) => {
    runtime(options).open('sse', null, onEvent);
    await vi.waitFor(() => expect(received).toEqual([{ type: 'closed', code: null }]));
  });

  it('sends a token in the header of all requests, and a ticket of it for a WebSocket', async () => {
    let tokens = 0;
    const network = runtime({
      token: () => Promise.resolve(`t${(++tokens).toString()}`),
      fetch: (url, init) => {
        asked.push([init?.method ?? 'GET', String(url), new Headers(init?.headers).get('authorization')].join(' '));
        return Promise.resolve(answer());
      },
    });
    network.open('sse', null, onEvent);
    await vi.waitFor(() => expect(types()).toContain('closed'));
    answer = (): Response => new Response('{"ticket":"once","expiresAt":"…"}', { status: 201 });
    network.open('ws', 'a-7', onEvent);
    await vi.waitFor(() => expect(FakeSocket.last?.url.search).toBe('?lastEventId=a-7&ticket=once'));
    await network.read('a-7', 9);
    expect(asked).toEqual([
      'GET https://shop.example/api/stream Bearer t1',
      'POST https://shop.example/api/tickets Bearer t2',
      'GET https://shop.example/api/notifications?after=a-7&limit=9 Bearer t3',
    ]);
  });

  it.each([401, 403])('tells that a token is refused: %i', async (status) => {
    answer = (): Response => new Response('', { status });
    for (const protocol of ['sse', 'ws'] as const) {
      received = [];
      runtime({ token: () => Promise.resolve('expired') }).open(protocol, null, onEvent);
      await vi.waitFor(() => expect(received).toEqual([{ type: 'denied', status }]));
    }
    expect(FakeSocket.last).toBeNull();
  });

  it.each([
    [401, { type: 'closed', code: 401 }],
    [403, { type: 'denied', status: 403 }],
  ])('takes another ticket when one is refused, but not when the person is: %i', async (status, event) => {
    answer = (): Response => new Response('', { status });
    runtime({ parameters: () => Promise.resolve({ ticket: 'used' }) }).open('sse', null, onEvent);
    await vi.waitFor(() => expect(received).toEqual([event]));
  });

  it.each<[string, () => Response]>([
    ['unavailable', (): Response => new Response('', { status: 503 })],
    ['of another shape', (): Response => new Response('{"ticket":7}')],
  ])('handles a ticket that is %s like a lost connection', async (_, given) => {
    answer = given;
    runtime({ token: () => Promise.resolve('t') }).open('ws', null, onEvent);
    await vi.waitFor(() => expect(received).toEqual([{ type: 'closed', code: null }]));
  });

  it('reads the history and rejects error statuses', async () => {
    answer = (): Response => new Response('{"head":"a-8"}');
    expect(await runtime().read('a-7', 200)).toEqual({ head: 'a-8' });
    expect(asked).toEqual(['https://shop.example/api/notifications?after=a-7&limit=200']);
    answer = (): Response => new Response('', { status: 503 });
    await expect(runtime().read('a-7', 1)).rejects.toThrow('503');
  });

  it('corrects its clock after the machine slept', () => {
    const { now } = runtime();
    const before = now();
    expect(Math.abs(before - Date.now())).toBeLessThan(1000);
    const wall = vi.spyOn(Date, 'now').mockReturnValue(before + 3_600_000);
    expect(now()).toBe(before + 3_600_000);
    wall.mockRestore();
    expect(Math.abs(now() - Date.now())).toBeLessThan(1000);
  });
});
