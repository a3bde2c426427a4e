import { Provider, signal } from '@angular/core';

import { AuthConfiguration, Configuration, SAME_ORIGIN } from '../api/endpoints';
import { BROWSER, Browser } from './browser';
import { Role, permissionsOf } from './person';
import { OPEN_ISSUER, Session } from './session';
import { Attempt, Issuer, SignedIn, Tokens } from './tokens';

export const AUTH: AuthConfiguration = {
  issuer: 'https://issuer.example',
  clientId: 'page',
  scope: 'openid',
  rolesClaim: 'roles',
};

export const CONFIGURATION: Configuration = {
  ...SAME_ORIGIN,
  auth: AUTH,
};

/** An issuer in memory: the code of its answer is the name of the person. */
export class FakeIssuer implements Issuer {
  readonly begun: { returnTo: string; anotherPerson: boolean }[] = [];
  readonly revoked: (string | null)[] = [];
  /** Thrown by each request. */
  failure: Error | null = null;
  roles: readonly string[] = [];
  lifetimeMs = 300_000;
  private issued = 0;

  async begin(returnTo: string, anotherPerson: boolean): Promise<{ attempt: Attempt; url: string }> {
    await this.answering();
    this.begun.push({ returnTo, anotherPerson });
    const state = `state-${this.begun.length.toString()}`;
    return { attempt: { state, nonce: 'n', verifier: 'v', returnTo }, url: `https://issuer.example/?${state}` };
  }

  async redeem(_: Attempt, answer: URLSearchParams): Promise<SignedIn> {
    await this.answering();
    const sub = answer.get('code') ?? '';
    return { tokens: this.tokens(sub), claims: { sub, name: sub.toUpperCase() } };
  }

  async refresh(tokens: Tokens): Promise<Tokens> {
    await this.answering();
    return this.tokens(tokens.refresh ?? '');
  }

  async revoke(tokens: Tokens): Promise<void> {
    await this.answering();
    this.revoked.push(tokens.refresh);
  }

  signOutUrl(): string {
    return 'https://issuer.example/logout';
  }

  private answering(): Promise<void> {
    return this.failure === null ? Promise.resolve() : Promise.reject(this.failure);
  }

  private tokens(sub: string): Tokens {
    const claims = btoa(JSON.stringify({ sub, roles: this.roles, number: ++this.issued }));
    const expiresAt = Date.now() + this.lifetimeMs;
    return { access: `e30.${claims}.`, refresh: sub, identity: null, expiresAt, lifetimeMs: this.lifetimeMs };
  }
}

/** A browser that goes nowhere. */
export class FakeBrowser implements Browser {
  readonly base = 'https://page.example/';
  isSecure = true;
  readonly left: string[] = [];
  readonly opened: string[] = [];
  url = '';
  answer: URLSearchParams | null = null;
  blocksWindows = false;
  closed = false;

  here(): string {
    return this.url;
  }

  takeAnswer(returnTo: (answer: URLSearchParams) => string): URLSearchParams | null {
    const { answer } = this;
    if (answer !== null) this.url = returnTo(answer);
    return answer;
  }

  leaveFor(url: string): void {
    this.left.push(url);
  }

  openWindow(): ReturnType<Browser['openWindow']> {
    if (this.blocksWindows) return null;
    return { navigate: (url) => this.opened.push(url), close: () => this.opened.push('closed') };
  }

  closeThisWindow(): void {
    this.closed = true;
  }
}

export function signInProviders(issuer: Issuer, browser: Browser): Provider[] {
  return [
    { provide: BROWSER, useValue: browser },
    { provide: OPEN_ISSUER, useValue: () => Promise.resolve(issuer) },
  ];
}

/** Somebody with *role* is signed in. */
export function signedInAs(role: Role): Provider {
  const session: Partial<Session> = {
    required: true,
    phase: signal('signed-in'),
    person: signal({ subject: 'alice', name: 'Alice', role }),
    may: signal(permissionsOf(role)),
    settled: () => Promise.resolve(),
    own: (name) => `${name}/alice`,
  };
  return { provide: Session, useValue: session };
}

/** A fetch that answers with what the page's server says of the services and the sign-in. */
export function configured(configuration: Configuration = CONFIGURATION): () => Promise<Response> {
  return () => Promise.resolve(new Response(JSON.stringify(configuration)));
}
