import { tabLock } from '../browser';
import { FakeLocks } from '../browser/locks.testing';
import { isSoleTab } from './sole-tab';

describe('The only tab with a session', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    vi.stubGlobal('navigator', { locks: new FakeLocks() });
  });

  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  /** Holds the lock as a page does that is being left, or hangs: it answers nothing. */
  function silently(id: string): () => void {
    const nothing = (): void => undefined;
    return tabLock(`orderstream.session/${id}`).acquire({ held: nothing, denied: nothing, lost: nothing });
  }

  it('is the one that is loaded anew, however long the page before needs to be gone', async () => {
    const leave = silently('left');
    const isSole = isSoleTab('left');
    await vi.advanceTimersByTimeAsync(9_000);
    leave();
    await vi.advanceTimersByTimeAsync(0);
    expect(await isSole).toBe(true);
  });

  it('is the first of those that have a copy', async () => {
    const first = isSoleTab('copied');
    await vi.advanceTimersByTimeAsync(0);
    expect(await first).toBe(true);
    expect(await isSoleTab('copied')).toBe(false);
  });

  it('is one of those that begin at once', async () => {
    const all = Promise.all([isSoleTab('restored'), isSoleTab('restored'), isSoleTab('restored')]);
    await vi.advanceTimersByTimeAsync(0);
    expect((await all).filter(Boolean)).toHaveLength(1);
  });

  it('is not known for ever beside one that hangs', async () => {
    silently('hung');
    const isSole = isSoleTab('hung');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await isSole).toBe(false);
  });

  it('is any one without locks', async () => {
    vi.stubGlobal('navigator', {});
    expect(await Promise.all([isSoleTab('without'), isSoleTab('without')])).toEqual([true, true]);
  });
});
