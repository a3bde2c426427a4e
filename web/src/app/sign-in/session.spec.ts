import { TestBed } from '@angular/core/testing';

import { Endpoints } from '../api/endpoints';
import { relayAnswer } from './relay';
import { Session } from './session';
import { FakeBrowser, FakeIssuer, signInProviders, configured } from './session.testing';
import { RefusedError } from './tokens';

describe('The session', () => {
  let issuer: FakeIssuer;
  let browser: FakeBrowser;
  let session: Session;

  /** The page is loaded, with the issuer's answer in its URL or without. */
  async function load(answer?: Record<string, string>): Promise<void> {
    TestBed.resetTestingModule();
    browser = new FakeBrowser();
    browser.url = 'orders?status=CLOSED';
    browser.answer = answer === undefined ? null : new URLSearchParams(answer);
    TestBed.configureTestingModule({ providers: signInProviders(issuer, browser) });
    session = TestBed.inject(Session);
    await TestBed.inject(Endpoints).load();
    session.start();
    const isSettled = (): boolean => session.phase() !== 'signing-in' || browser.left.length > 0;
    // an answer that nobody waits for takes three seconds
    await vi.waitFor(() => expect(isSettled()).toBe(true), { timeout: 4_000 });
  }

  async function signIn(name: string): Promise<void> {
    await load();
    await load({ code: name, state: `state-${issuer.begun.length.toString()}` });
    expect(session.phase()).toBe('signed-in');
  }

  beforeEach(() => {
    localStorage.clear();
    sessionStorage.clear();
    vi.stubGlobal('fetch', configured());
    issuer = new FakeIssuer();
  });

  afterEach(() => {
    TestBed.resetTestingModule();
    vi.unstubAllGlobals();
  });

  it('is open without a sign-in', async () => {
    vi.stubGlobal('fetch', configured({ order: '/api', inventory: '/api', notification: '/api', processing: '/api' }));
    await load();
    await session.settled();
    expect(session.phase()).toBe('open');
    expect(session.may()).toEqual({ order: true, seeAll: true, operate: true });
    expect(session.own('basket')).toBe('basket');
    expect(issuer.begun).toEqual([]);
  });

  it('begins at the issuer, and returns to the page that was asked for', async () => {
    await load();
    expect(browser.left).toEqual(['https://issuer.example/?state-1']);
    expect(session.person()).toBeNull();
    await load({ code: 'alice', state: 'state-1' });
    await session.settled();
    expect(browser.url).toBe('orders?status=CLOSED');
    expect(session.person()).toEqual({ subject: 'alice', name: 'ALICE', role: 'customer' });
    expect(session.own('basket')).toBe('basket/alice');
    expect(browser.left).toEqual([]);
  });

  it('survives loading the page anew, without the issuer', async () => {
    await signIn('alice');
    const token = await session.token();
    issuer.failure = new TypeError('Failed to fetch');
    await load();
    expect(session.phase()).toBe('signed-in');
    expect(await session.token()).toBe(token);
  });

  it('is not that of another issuer', async () => {
    await signIn('alice');
    sessionStorage.setItem(
      'orderstream.session',
      (sessionStorage.getItem('orderstream.session') ?? '').replace('issuer.example', 'former.example'),
    );
    await load();
    expect(browser.left).toHaveLength(1);
  });

  it.each(['{', '{}', 'null', '{"id":"a"}'])('ignores the stored %s', async (stored) => {
    sessionStorage.setItem('orderstream.session', stored);
    sessionStorage.setItem('orderstream.sign-in', stored);
    await load();
    expect(browser.left).toHaveLength(1);
  });

  it('takes an answer once', async () => {
    await signIn('alice');
    await session.signOut();
    await load({ code: 'alice', state: 'state-1' });
    expect(session.phase()).toBe('signed-out');
  });

  it('says that the issuer refused, or can’t be reached, and tries again', async () => {
    await load();
    issuer.failure = new RefusedError('access_denied');
    await load({ error: 'access_denied', state: 'state-1' });
    expect([session.phase(), session.failure()]).toEqual(['failed', { refused: 'access_denied' }]);
    issuer.failure = new TypeError('Failed to fetch');
    session.signIn();
    await vi.waitFor(() => expect(session.failure()).toBe('unreachable'));
    issuer.failure = null;
    session.signIn();
    await vi.waitFor(() => expect(browser.left).toHaveLength(1));
  });

  it('signs out at the issuer, and then waits for a click', async () => {
    await signIn('alice');
    await session.signOut();
    expect(browser.left).toEqual(['https://issuer.example/logout']);
    expect(issuer.revoked).toEqual(['alice']);
    expect(JSON.stringify(sessionStorage)).not.toContain('alice');
    await load();
    expect(session.phase()).toBe('signed-out');
    session.signIn();
    await vi.waitFor(() => expect(issuer.begun.at(-1)?.anotherPerson).toBe(true));
  });

  it('signs out without the issuer too', async () => {
    await signIn('alice');
    issuer.failure = new TypeError('Failed to fetch');
    await session.signOut();
    expect(session.person()).toBeNull();
    expect(browser.left).toHaveLength(1);
  });

  it('ends with the sign-out of the person in another tab, and with no other', async () => {
    await signIn('alice');
    const later = (Date.now() + 1_000).toString();
    localStorage.setItem('orderstream.signed-out/bob', later);
    window.dispatchEvent(new StorageEvent('storage'));
    expect(session.phase()).toBe('signed-in');
    localStorage.setItem('orderstream.signed-out/alice', later);
    window.dispatchEvent(new StorageEvent('storage'));
    expect(session.phase()).toBe('signed-out');
    await vi.waitFor(() => expect(browser.left).toEqual([browser.base]));
    expect(issuer.revoked).toEqual(['alice']);
  });

  it('ends with a sign-out that the tab has missed', async () => {
    await signIn('alice');
    localStorage.setItem('orderstream.signed-out/alice', (Date.now() + 1_000).toString());
    await load();
    expect(session.person()).toBeNull();
  });

  describe('when its sign-in has ended', () => {
    beforeEach(async () => {
      await signIn('alice');
      issuer.failure = new RefusedError('invalid_grant');
      await expect(session.replacement(await session.token())).rejects.toThrow();
      issuer.failure = null;
    });

    it('keeps the person', () => {
      expect(session.phase()).toBe('ended');
      expect(session.person()?.subject).toBe('alice');
      expect(browser.left).toEqual([]);
    });

    it('continues after signing in again in another window', async () => {
      await session.signInAgain();
      expect(browser.opened).toEqual(['https://issuer.example/?state-2']);
      expect(await relayAnswer(new URLSearchParams({ code: 'alice', state: 'state-2' }))).toBe(true);
      await vi.waitFor(() => expect(session.phase()).toBe('signed-in'));
      expect(await session.token()).not.toBe('');
      expect(browser.left).toEqual([]);
    });

    it('is another’s after another person has signed in', async () => {
      await session.signInAgain();
      await relayAnswer(new URLSearchParams({ code: 'bob', state: 'state-2' }));
      await vi.waitFor(() => expect(browser.left).toEqual([browser.base]));
      await expect(session.token()).rejects.toThrow();
      await load();
      expect(session.person()?.subject).toBe('bob');
    });

    it('leaves for the issuer when the browser blocks the window', async () => {
      browser.blocksWindows = true;
      await session.signInAgain();
      await vi.waitFor(() => expect(browser.left).toHaveLength(1));
    });

    it('says that the issuer can’t be reached', async () => {
      issuer.failure = new TypeError('Failed to fetch');
      await session.signInAgain();
      expect(browser.opened).toEqual(['closed']);
      expect([session.phase(), session.failure()]).toEqual(['ended', 'unreachable']);
    });

    it('begins at the issuer when the page is loaded anew', async () => {
      await load();
      expect(browser.left).toHaveLength(1);
    });
  });

  it('leaves nothing of the person to another one', async () => {
    await signIn('alice');
    session.changePerson();
    expect(session.person()).toBeNull();
    await vi.waitFor(() => expect(browser.left).toHaveLength(1));
    expect(issuer.begun.at(-1)).toEqual({ returnTo: '', anotherPerson: true });
    expect(localStorage.getItem('orderstream.signed-out/alice')).toBeNull();
  });
});
