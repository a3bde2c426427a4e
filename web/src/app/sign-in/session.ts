import { DestroyRef, Injectable, InjectionToken, computed, inject, signal } from '@angular/core';

import { AuthConfiguration, Endpoints } from '../api/endpoints';
import { BROWSER } from './browser';
import { EVERYBODY, Person, claimsOf, permissionsOf, personOf } from './person';
import { awaitAnswer, relayAnswer } from './relay';
import { isSoleTab } from './sole-tab';
import { StoredSession, left, signedOut, storedAttempt, storedSession } from './stored';
import { TokenKeeper } from './token-keeper';
import { Attempt, Issuer, NoTokenError, RefusedError, SignedIn, Tokens } from './tokens';

/**
 * - open: there is no sign-in, everybody is an operator
 * - signing-in: on the way to the issuer or back
 * - signed-in: with a token, or one that is being renewed
 * - ended: the person has to sign in again; the page stays as it is
 * - signed-out: waits for a click
 * - failed: see {@link Session.failure}
 * - relayed: this window signed in for a tab, and can be closed
 */
export type Phase = 'open' | 'signing-in' | 'signed-in' | 'ended' | 'signed-out' | 'failed' | 'relayed';

/**
 * Why a sign-in failed: the issuer can't be reached or refused (with its code), the page came over plain HTTP, or the
 * browser stores nothing, and so can't know the attempt when the issuer answers.
 */
export type Failure = 'unreachable' | 'insecure' | 'not-stored' | { readonly refused: string };

/** Connects to the issuer; its code is loaded only then. */
export const OPEN_ISSUER = new InjectionToken<(auth: AuthConfiguration, page: string) => Promise<Issuer>>(
  'OPEN_ISSUER',
  {
    providedIn: 'root',
    factory: () => async (auth, page) => (await import('./openid-connect')).openIdConnect(auth, page),
  },
);

const REVOCATION_LIMIT_MS = 2_000;

/** The browser does not store the attempt. */
class NotStoredError extends Error {}

/**
 * Who uses this tab, and the access token for the services.
 *
 * The person stays the same as long as the document lives: signing out, or in as another, loads the page anew, so that
 * nothing of one person remains for the next.
 */
@Injectable({ providedIn: 'root' })
export class Session {
  private readonly endpoints = inject(Endpoints);
  private readonly browser = inject(BROWSER);
  private readonly openIssuer = inject(OPEN_ISSUER);
  private readonly destroyed = inject(DestroyRef);
  private readonly currentPhase = signal<Phase>('open');
  private readonly currentPerson = signal<Person | null>(EVERYBODY);
  private readonly currentFailure = signal<Failure | null>(null);
  private readonly isIssuerAway = signal(false);
  private connecting: Promise<Issuer> | null = null;
  private keeper: TokenKeeper | null = null;
  private stored: StoredSession | null = null;
  private stopWaiting: () => void = () => undefined;
  private settle: () => void = () => undefined;
  private readonly isSettled = new Promise<void>((resolve) => (this.settle = resolve));

  readonly phase = this.currentPhase.asReadonly();
  /** Null until somebody has signed in. */
  readonly person = this.currentPerson.asReadonly();
  readonly failure = this.currentFailure.asReadonly();
  /** Whether the access token has expired while the issuer can't be reached. */
  readonly issuerAway = this.isIssuerAway.asReadonly();
  readonly may = computed(() => permissionsOf(this.person()?.role ?? 'customer'));

  /** Whether people have to sign in. */
  get required(): boolean {
    return this.endpoints.auth !== null;
  }

  /** Begins, once the configuration is loaded and before the first navigation. */
  start(): void {
    if (!this.required) return;
    this.currentPerson.set(null);
    this.currentPhase.set('signing-in');
    const attempt = storedAttempt.read();
    const answer = this.browser.takeAnswer((each) => (isFor(each, attempt) ? attempt.returnTo : ''));
    void this.attempt(() => this.enter(attempt, answer));
  }

  /** Resolves when somebody has signed in, or nobody has to. */
  settled(): Promise<void> {
    return this.phase() === 'open' ? Promise.resolve() : this.isSettled;
  }

  /** The name of something that belongs to the person: a key of a storage, a lock or a channel. */
  own(name: string): string {
    return this.required ? `${name}/${this.person()?.subject ?? ''}` : name;
  }

  /** @throws NoTokenError there is none at the moment. */
  async token(): Promise<string> {
    if (this.keeper === null) throw new NoTokenError('ended');
    return this.keeper.token();
  }

  /** Another access token, after a service refused one. @throws NoTokenError there is none. */
  async replacement(refused: string): Promise<string> {
    if (this.keeper === null) throw new NoTokenError('ended');
    return this.keeper.replacement(refused);
  }

  /** Leaves for the issuer, and returns to the shown page. */
  signIn(): void {
    const anotherPerson = left.read();
    this.currentPhase.set('signing-in');
    void this.attempt(() => this.redirect(anotherPerson));
  }

  /** Signs in another person in this tab only. */
  changePerson(): void {
    this.forget();
    this.currentPhase.set('signing-in');
    void this.attempt(() => this.redirect(true, ''));
  }

  /** Signs in again in another window, so that the page keeps what was entered. */
  async signInAgain(): Promise<void> {
    this.stopWaiting();
    const opened = this.browser.openWindow();
    if (opened === null) return this.signIn();
    try {
      const { attempt, url } = await (await this.issuer()).begin('', false);
      this.stopWaiting = awaitAnswer(attempt.state, (answer) => void this.attempt(() => this.redeem(attempt, answer)));
      opened.navigate(url);
    } catch (error) {
      opened.close();
      this.fail(error);
    }
  }

  /** Signs out in all tabs of the person, and at the issuer. */
  async signOut(): Promise<void> {
    const session = this.stored;
    if (session === null) return;
    signedOut.write(session.person.subject, Date.now());
    this.forget();
    const url = await this.endAtIssuer(session.tokens).catch(() => null); // the tokens are gone here all the same
    this.browser.leaveFor(url ?? this.browser.base);
  }

  private async enter(attempt: Attempt | null, answer: URLSearchParams | null): Promise<void> {
    if (answer !== null && isFor(answer, attempt)) {
      storedAttempt.write(null);
      return this.redeem(attempt, answer);
    }
    // without a tab that waits, it is an answer from the history of this tab
    if (answer !== null && (await relayAnswer(answer))) {
      this.currentPhase.set('relayed');
      return this.browser.closeThisWindow();
    }
    const stored = this.usable(storedSession.read());
    if (stored !== null && (await isSoleTab(stored.id))) return this.adopt(stored);
    storedSession.write(null);
    if (left.read()) this.currentPhase.set('signed-out');
    else await this.redirect(false);
  }

  private usable(session: StoredSession | null): StoredSession | null {
    const { auth } = this.endpoints;
    if (session === null || session.issuer !== auth?.issuer || session.clientId !== auth.clientId) return null;
    return signedOut.since(session.person.subject, session.since) ? null : session;
  }

  private async redirect(anotherPerson: boolean, returnTo = this.browser.here()): Promise<void> {
    const { attempt, url } = await (await this.issuer()).begin(returnTo, anotherPerson);
    if (!storedAttempt.write(attempt)) throw new NotStoredError();
    this.browser.leaveFor(url);
  }

  private async redeem(attempt: Attempt, answer: URLSearchParams): Promise<void> {
    const session = this.sessionOf(await (await this.issuer()).redeem(attempt, answer));
    const before = this.stored;
    left.write(false);
    storedSession.write(session);
    if (before === null) {
      await isSoleTab(session.id);
      this.adopt(session);
    } else if (before.person.subject === session.person.subject) {
      this.stored = { ...session, id: before.id, person: before.person };
      this.keeper?.replace(session.tokens);
    } else {
      this.keeper?.stop();
      this.browser.leaveFor(this.browser.base);
    }
  }

  private sessionOf({ tokens, claims }: SignedIn): StoredSession {
    const auth = this.endpoints.auth;
    if (auth === null) throw new Error('Sign-in is not configured.');
    const person = personOf(claims, claimsOf(tokens.access), auth.rolesClaim);
    const id = Array.from(crypto.getRandomValues(new Uint32Array(4)), (each) => each.toString(36)).join('');
    return { id, issuer: auth.issuer, clientId: auth.clientId, person, tokens, since: Date.now() };
  }

  private adopt(session: StoredSession): void {
    this.stored = session;
    const refresh = async (tokens: Tokens): Promise<Tokens> => (await this.issuer()).refresh(tokens);
    this.keeper = new TokenKeeper(session.tokens, refresh, () => this.onTokens());
    this.watch(session);
    this.currentPerson.set(session.person);
    this.currentPhase.set('signed-in');
    this.settle();
  }

  private onTokens(): void {
    const { keeper, stored } = this;
    if (keeper === null || stored === null) return;
    const ended = keeper.state === 'ended';
    this.stored = { ...stored, tokens: keeper.tokens };
    storedSession.write(ended ? null : this.stored); // without one, loading the page anew signs in
    this.isIssuerAway.set(keeper.state === 'unreachable' && keeper.tokens.expiresAt <= Date.now());
    this.currentFailure.set(null);
    this.currentPhase.set(ended ? 'ended' : 'signed-in');
  }

  /** Follows what happens outside of this tab: the person's sign-out, and the network. */
  private watch({ person, since }: StoredSession): void {
    const listeners = new AbortController();
    const { signal } = listeners;
    this.destroyed.onDestroy(() => {
      listeners.abort();
      this.keeper?.stop();
      this.stopWaiting();
    });
    const check = (): void => {
      if (signedOut.since(person.subject, this.stored?.since ?? since)) this.leave();
      else this.keeper?.retry();
    };
    // the last ones: a page that was frozen, or kept by the browser, has missed events
    for (const name of ['storage', 'online', 'pageshow']) window.addEventListener(name, check, { signal });
    document.addEventListener('visibilitychange', check, { signal });
  }

  /** The person has signed out in another tab. */
  private leave(): void {
    const session = this.stored;
    if (session === null) return;
    this.forget();
    void this.issuer()
      .then((issuer) => withLimit(issuer.revoke(session.tokens)))
      .catch(() => undefined) // best effort: it expires
      .finally(() => this.browser.leaveFor(this.browser.base));
  }

  private forget(): void {
    this.keeper?.stop();
    this.keeper = null;
    this.stored = null;
    storedSession.write(null);
    left.write(true);
    this.currentPerson.set(null);
    this.currentPhase.set('signed-out');
  }

  private async endAtIssuer(tokens: Tokens): Promise<string | null> {
    const issuer = await withLimit(this.issuer());
    await withLimit(issuer.revoke(tokens)).catch(() => undefined); // best effort: it expires
    return issuer.signOutUrl(tokens);
  }

  private issuer(): Promise<Issuer> {
    const { auth } = this.endpoints;
    if (auth === null) return Promise.reject(new Error('Sign-in is not configured.'));
    this.connecting ??= this.openIssuer(auth, this.browser.base).catch((error: unknown) => {
      this.connecting = null;
      throw error;
    });
    return this.connecting;
  }

  private async attempt(step: () => Promise<void>): Promise<void> {
    this.currentFailure.set(null);
    try {
      await step();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.currentFailure.set(this.browser.isSecure ? failureOf(error) : 'insecure');
    if (this.person() === null) this.currentPhase.set('failed');
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof NotStoredError) return 'not-stored';
  return error instanceof RefusedError ? { refused: error.code } : 'unreachable';
}

function isFor(answer: URLSearchParams, attempt: Attempt | null): attempt is Attempt {
  return attempt !== null && answer.get('state') === attempt.state;
}

function withLimit<T>(promise: Promise<T>): Promise<T> {
  const limit = new Promise<never>((_, reject) =>
    setTimeout(() => reject(new Error('The issuer takes too long.')), REVOCATION_LIMIT_MS),
  );
  return Promise.race([promise, limit]);
}
