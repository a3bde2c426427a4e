import { readFrame, readMessage, readPage } from './frames.js';
import { notificationAt } from './testing/notifications.js';

const ID = { epoch: '5f2c', seq: 42 };
const NOTIFICATION = notificationAt(ID);

describe('A frame of the WebSocket', () => {
  it.each([
    [
      { type: 'welcome', id: '5f2c-41', head: '5f2c-42', resumed: true },
      { type: 'opened', id: { epoch: '5f2c', seq: 41 }, head: ID },
    ],
    [
      { type: 'welcome', id: '5f2c-41', head: '5f2c-42', resumed: true, heartbeatMs: 5000 },
      { type: 'opened', id: { epoch: '5f2c', seq: 41 }, head: ID, heartbeatMs: 5000 },
    ],
    [
      { type: 'welcome', id: '5f2c-41', head: '5f2c-42', resumed: true, delayedMs: 12_000 },
      { type: 'opened', id: { epoch: '5f2c', seq: 41 }, head: ID, delayedMs: 12_000 },
    ],
    [
      { type: 'heartbeat', id: '5f2c-42' },
      { type: 'position', id: ID },
    ],
    [
      { type: 'heartbeat', id: '5f2c-42', delayedMs: 3_600_000 },
      { type: 'position', id: ID, delayedMs: 3_600_000 },
    ],
    [
      { type: 'heartbeat', id: '5f2c-42', delayedMs: 'long' },
      { type: 'position', id: ID },
    ],
    [
      { type: 'reset', id: '5f2c-42' },
      { type: 'reset', id: ID },
    ],
    [
      { type: 'bye', reason: 'age', retryMs: 1234 },
      { type: 'bye', retryMs: 1234, reason: 'age' },
    ],
    [{ type: 'error', detail: 'what?' }, null],
  ])('%j is parsed', (frame, received) => {
    expect(readFrame(JSON.stringify(frame))).toEqual(received);
  });

  it('of a notification has a size', () => {
    const text = JSON.stringify({ type: 'event', id: '5f2c-42', data: NOTIFICATION });
    expect(readFrame(text)).toEqual({ type: 'event', id: ID, notification: NOTIFICATION, bytes: text.length + 4 });
  });

  it('is measured in bytes', () => {
    const data = { ...NOTIFICATION, message: 'ü' };
    const text = JSON.stringify({ type: 'event', id: '5f2c-42', data });
    expect(readFrame(text)).toMatchObject({ bytes: text.length + 5 });
  });

  it.each([
    '',
    'null',
    '[]',
    '{"type":"event"',
    '{"type":"news"}',
    '{"type":"heartbeat"}',
    '{"type":"welcome","id":"5f2c-41"}',
    '{"type":"heartbeat","id":"none"}',
    '{"type":"reset","id":7}',
    '{"type":"bye","retryMs":"soon"}',
    '{"type":"bye","retryMs":-1}',
    '{"type":"bye","retryMs":1e9}',
    '{"type":"event","id":"5f2c-42","data":{}}',
    JSON.stringify({ type: 'event', id: '5f2c-43', data: NOTIFICATION }),
    JSON.stringify({ type: 'event', id: 'nonsense', data: NOTIFICATION }),
  ])('%s is malformed', (text) => {
    expect(readFrame(text)).toEqual({ type: 'malformed' });
  });
});

describe('A block of the stream', () => {
  it('of a notification has a size with its chunk', () => {
    const data = JSON.stringify(NOTIFICATION);
    const block = `id: 5f2c-42\ndata: ${data}\n\n`;
    const bytes = block.length + block.length.toString(16).length + 4;
    expect(readMessage(data, '5f2c-42')).toEqual({ type: 'event', id: ID, notification: NOTIFICATION, bytes });
  });

  it('is malformed without an id or with malformed data', () => {
    expect(readMessage(JSON.stringify(NOTIFICATION), '')).toEqual({ type: 'malformed' });
    expect(readMessage('<p>', '5f2c-42')).toEqual({ type: 'malformed' });
  });
});

describe('A page of the history', () => {
  it('is parsed, with null for malformed notifications', () => {
    const page = { notifications: [NOTIFICATION, { id: 1 }], next: null, head: '5f2c-42', reset: false };
    expect(readPage(page)).toEqual({ notifications: [NOTIFICATION, null], next: null, head: ID });
  });

  it.each([null, 'page', { notifications: {} }, { notifications: [] }, { notifications: [], head: 'none' }])(
    'is null for %j',
    (value) => {
      expect(readPage(value)).toBeNull();
    },
  );
});
