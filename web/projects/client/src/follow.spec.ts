import { follow } from './follow.js';

const BODY = [
  'event: welcome\nid: a-1\ndata: {"type":"welcome","id":"a-1","head":"a-1","resumed":false}\n\n',
  'event: heartbeat\nid: a-5\ndata: {"type":"heartbeat","id":"a-5"}\n\n',
  'event: bye\ndata: {"type":"bye","reason":"age","retryMs":0}\n\n',
].join('');

describe('Following', () => {
  it('resumes from the last position with its filter, until stopped', async () => {
    const asked: string[] = [];
    const states: string[] = [];
    const codes: (number | null)[] = [];
    const feed = follow({
      url: 'http://shop.example/push',
      orderIds: [7],
      after: 'earliest',
      fetch: (url) => {
        asked.push(String(url));
        return Promise.resolve(new Response(BODY));
      },
      onNotification: () => undefined,
      onState: (state) => states.push(state),
      onClosed: (code) => codes.push(code),
    });
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1));
    expect(feed.position).toBe('a-5');
    feed.stop();
    expect(asked.slice(0, 2)).toEqual([
      'http://shop.example/push/stream?lastEventId=earliest&orderId=7',
      'http://shop.example/push/stream?lastEventId=a-5&orderId=7',
    ]);
    expect(states.slice(0, 3)).toEqual(['connecting', 'live', 'waiting']);
    expect(codes[0]).toBe(200);
  });

  it('ends when the token is refused, and resumes when asked', async () => {
    const ends: unknown[] = [];
    let status = 401;
    const feed = follow({
      url: 'http://shop.example',
      token: () => Promise.resolve('t'),
      fetch: () => Promise.resolve(new Response(BODY, { status })),
      onNotification: () => undefined,
      onEnd: (end) => ends.push(end),
    });
    await vi.waitFor(() => expect(ends).toEqual([{ reason: 'denied', status: 401 }]));
    expect(feed.state).toBe('ended');
    status = 200;
    feed.resume();
    await vi.waitFor(() => expect(feed.position).toBe('a-5'));
    feed.stop();
  });

  it('takes gaps for what is not for this person', async () => {
    const asked: string[] = [];
    const feed = follow({
      url: 'http://shop.example',
      token: () => Promise.resolve('t'),
      fetch: (url) => {
        asked.push(String(url));
        return Promise.resolve(new Response(BODY));
      },
      onNotification: () => undefined,
    });
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(1));
    feed.stop();
    expect(asked.filter((each) => each.includes('/notifications'))).toEqual([]);
  });

  it.each([{ orderIds: [] }, { kinds: [] }, { after: 'yesterday' }])('refuses %j', (options) => {
    expect(() => follow({ url: 'http://shop.example', onNotification: () => undefined, ...options })).toThrow(
      TypeError,
    );
  });
});
