import { GuardedStorage, deviceStorage, tabStorage } from '.';

/** A storage of which some operations throw, as those of a browser do. */
function failing(...operations: (keyof Storage)[]): Storage {
  const fail = (): never => {
    throw new DOMException('', 'QuotaExceededError');
  };
  return new Proxy(localStorage, {
    get: (target, name) => {
      if (operations.includes(name as keyof Storage)) return fail;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

function blocked(): GuardedStorage {
  return new GuardedStorage(() => {
    throw new DOMException('', 'SecurityError');
  });
}

describe('A guarded storage', () => {
  beforeEach(() => localStorage.clear());

  it('stores what the browser stores', () => {
    expect(deviceStorage.read('a')).toBeNull();
    expect(deviceStorage.write('a', '1')).toBe(true);
    expect(localStorage.getItem('a')).toBe('1');
    expect(deviceStorage.read('a')).toBe('1');
    expect(deviceStorage.write('a', null)).toBe(true);
    expect(deviceStorage.read('a')).toBeNull();
    expect(deviceStorage.lasts()).toBe(true);
    expect(localStorage).toHaveLength(0);
  });

  it('is one for the device and one for the tab', () => {
    tabStorage.write('a', 'tab');
    expect(sessionStorage.getItem('a')).toBe('tab');
    expect(deviceStorage.read('a')).toBeNull();
    tabStorage.write('a', null);
  });

  it('remembers what a blocked storage does not store', () => {
    const storage = blocked();
    expect(storage.read('a')).toBeNull();
    expect(storage.write('a', '1')).toBe(false);
    expect(storage.read('a')).toBe('1');
    expect(storage.write('a', null)).toBe(false);
    expect(storage.read('a')).toBeNull();
    expect(storage.lasts()).toBe(false);
  });

  it('remembers what a full storage does not store, in place of what it has', () => {
    localStorage.setItem('a', 'former');
    const storage = new GuardedStorage(() => failing('setItem'));
    expect(storage.write('a', 'later')).toBe(false);
    expect(storage.read('a')).toBe('later');
    expect(localStorage.getItem('a')).toBe('former');
    expect(storage.write('a', null)).toBe(true);
    expect(storage.read('a')).toBeNull();
  });

  it('prefers what another tab stores later', () => {
    const storage = new GuardedStorage(() => failing('setItem'));
    storage.write('a', 'mine');
    localStorage.setItem('a', 'theirs');
    expect(storage.read('a')).toBe('theirs');
    localStorage.removeItem('a');
    expect(storage.read('a')).toBeNull();
  });
});
