import { formatEventId, isAfter, parseEventId } from './event-id.js';

describe('An event id', () => {
  it('is parsed and formatted', () => {
    expect(parseEventId('6b02c025476e-153')).toEqual({ epoch: '6b02c025476e', seq: 153 });
    expect(formatEventId({ epoch: '6b02', seq: 0 })).toBe('6b02-0');
  });

  it.each(['', '5', 'a-', '-1', 'a-b', 'a-1-2', 'a--1', 'a-1 ', 'a-1e3', 'a-12345678901234567890'])(
    'is not %j',
    (text) => {
      expect(parseEventId(text)).toBeNull();
    },
  );

  it('is after another of its epoch only', () => {
    const id = { epoch: 'a', seq: 2 };
    expect(isAfter(id, { epoch: 'a', seq: 1 })).toBe(true);
    expect(isAfter(id, id)).toBe(false);
    expect(isAfter(id, { epoch: 'b', seq: 1 })).toBe(false);
  });
});
