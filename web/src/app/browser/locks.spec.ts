import { LockEvents, tabLock } from '.';
import { FakeLocks } from './locks.testing';

describe('The lock of all tabs', () => {
  let happened: string[];

  const events = (name: string): LockEvents => ({
    held: () => happened.push(`${name} held`),
    lost: () => happened.push(`${name} lost`),
    denied: () => happened.push(`${name} denied`),
  });

  beforeEach(() => {
    happened = [];
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is held by one at a time, in turn', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    const releaseLock = tabLock('a').acquire(events('first'));
    const cancel = tabLock('a').acquire(events('second'));
    tabLock('a').acquire(events('third'));
    await vi.waitFor(() => expect(happened).toEqual(['first held']));
    cancel();
    releaseLock();
    await vi.waitFor(() => expect(happened).toEqual(['first held', 'third held']));
  });

  it('is taken away from its holder, who hears of it', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    tabLock('a').acquire(events('first'));
    tabLock('a').acquire(events('waiting'));
    await vi.waitFor(() => expect(happened).toEqual(['first held']));
    const releaseLock = tabLock('a').acquire(events('thief'), true);
    await vi.waitFor(() => expect([...happened].sort()).toEqual(['first held', 'first lost', 'thief held']));
    releaseLock();
    await vi.waitFor(() => expect(happened.at(-1)).toBe('waiting held'));
  });

  it('is not said to be held when it is lost again at once', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    tabLock('a').acquire(events('first'));
    tabLock('a').acquire(events('thief'), true);
    await vi.waitFor(() => expect(happened).toEqual(['first lost', 'thief held']));
  });

  it('says nothing of what it gave back before', async () => {
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
    const releaseLock = tabLock('a').acquire(events('first'));
    await vi.waitFor(() => expect(happened).toEqual(['first held']));
    releaseLock();
    tabLock('a').acquire(events('thief'), true);
    await vi.waitFor(() => expect(happened).toEqual(['first held', 'thief held']));
  });

  it.each([
    ['in an insecure context', {}],
    [
      'where site data are blocked',
      { locks: { request: () => Promise.reject(new DOMException('', 'SecurityError')) } },
    ],
  ])('is denied %s', async (_, navigator) => {
    vi.stubGlobal('navigator', navigator);
    tabLock('a').acquire(events('first'));
    await vi.waitFor(() => expect(happened).toEqual(['first denied']));
  });
});
