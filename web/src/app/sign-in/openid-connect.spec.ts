import { AuthConfiguration } from '../api/endpoints';
import { openIdConnect } from './openid-connect';
import { AUTH } from './session.testing';
import { Attempt, Issuer, RefusedError, Tokens } from './tokens';

const PAGE = 'https://page.example/';
const METADATA = {
  issuer: AUTH.issuer,
  authorization_endpoint: 'https://issuer.example/authorize?tenant=a',
  token_endpoint: 'https://issuer.example/token',
  revocation_endpoint: 'https://issuer.example/revoke',
  end_session_endpoint: 'https://issuer.example/logout',
};
const TOKENS: Tokens = { access: 'a', refresh: 'r', identity: 'i.d.', expiresAt: 0, lifetimeMs: 0 };

function json(body: object, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
}

function idToken(claims: object): string {
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: AUTH.issuer, aud: AUTH.clientId, sub: 'alice', iat: now, exp: now + 60 };
  const encoded = (part: object): string => btoa(JSON.stringify(part)).replaceAll('=', '');
  return `${encoded({ alg: 'RS256' })}.${encoded({ ...usual, ...claims })}.c2ln`;
}

describe('An OpenID Connect issuer', () => {
  let sent: Request[];
  let answers: (Response | Error)[];

  const open = (auth: AuthConfiguration = AUTH): Promise<Issuer> => openIdConnect(auth, PAGE);

  beforeEach(() => {
    sent = [];
    answers = [json(METADATA)];
    // a buffer of Node.js is none of jsdom's
    const digest = crypto.subtle.digest.bind(crypto.subtle);
    vi.spyOn(crypto.subtle, 'digest').mockImplementation(
      async (...given) => Uint8Array.from(new Uint8Array(await digest(...given))).buffer,
    );
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      sent.push(new Request(url, { ...init, signal: null }));
      const answer = answers.shift() ?? new TypeError('Failed to fetch');
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    });
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  async function failure(call: Promise<unknown>): Promise<unknown> {
    return call.then(
      () => expect.unreachable(),
      (error: unknown) => error,
    );
  }

  it('is asked for a code with PKCE', async () => {
    const { attempt, url } = await (await open()).begin('orders', false);
    const query = Object.fromEntries(new URL(url).searchParams);
    expect(sent.map((each) => each.url)).toEqual(['https://issuer.example/.well-known/openid-configuration']);
    expect(url.startsWith('https://issuer.example/authorize?')).toBe(true);
    expect(query).toMatchObject({
      tenant: 'a',
      response_type: 'code',
      client_id: 'page',
      redirect_uri: PAGE,
      scope: 'openid',
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge_method: 'S256',
    });
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(attempt.verifier)));
    const challenge = btoa(String.fromCharCode(...hash))
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace('=', '');
    expect(query['code_challenge']).toBe(challenge);
    expect(query['prompt']).toBeUndefined();
  });

  it('is asked to let another person sign in', async () => {
    const { url } = await (await open()).begin('', true);
    expect(new URL(url).searchParams.get('prompt')).toBe('login');
  });

  describe('with a code', () => {
    let issuer: Issuer;
    let attempt: Attempt;

    beforeEach(async () => {
      issuer = await open();
      ({ attempt } = await issuer.begin('', false));
    });

    const answer = (more: Record<string, string> = { code: 'c' }): URLSearchParams =>
      new URLSearchParams({ state: attempt.state, ...more });
    const grant = (claims: object): Response =>
      json({ access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: 60, id_token: idToken(claims) });

    it('gives tokens', async () => {
      answers = [grant({ nonce: attempt.nonce, name: 'Alice' })];
      const { tokens, claims } = await issuer.redeem(attempt, answer());
      expect(claims).toMatchObject({ sub: 'alice', name: 'Alice' });
      expect(tokens).toMatchObject({ access: 'a', refresh: 'r', lifetimeMs: 60_000 });
      expect(Math.abs(tokens.expiresAt - Date.now() - 60_000)).toBeLessThan(5_000);
      const form = new URLSearchParams(await sent.at(-1)?.text());
      expect(Object.fromEntries(form)).toEqual({
        grant_type: 'authorization_code',
        client_id: 'page',
        code: 'c',
        redirect_uri: PAGE,
        code_verifier: attempt.verifier,
      });
    });

    it.each([
      ['another nonce', { nonce: 'other' }],
      ['no nonce', {}],
      ['another audience', { aud: 'other' }],
      ['another issuer', { iss: 'https://other.example' }],
      ['an end in the past', { exp: 1 }],
    ])('is refused with an ID token with %s', async (_, claims) => {
      answers = [
        grant('nonce' in claims || Object.keys(claims).length === 0 ? claims : { nonce: attempt.nonce, ...claims }),
      ];
      expect(await failure(issuer.redeem(attempt, answer()))).toBeInstanceOf(RefusedError);
    });

    it('is refused with an error or another state, and nothing is exchanged', async () => {
      const denied = await failure(issuer.redeem(attempt, answer({ error: 'access_denied' })));
      expect(denied).toEqual(new RefusedError('access_denied'));
      const forged = await failure(issuer.redeem(attempt, new URLSearchParams({ code: 'c', state: 'other' })));
      expect(forged).toBeInstanceOf(RefusedError);
      expect(sent).toHaveLength(1);
    });
  });

  it('that does not rotate refresh tokens keeps the one it gave', async () => {
    const issuer = await open();
    answers = [json({ access_token: 'b', token_type: 'bearer', expires_in: 60 })];
    expect(await issuer.refresh(TOKENS)).toMatchObject({ access: 'b', refresh: 'r', identity: 'i.d.' });
  });

  it('has refused when it says so', async () => {
    const issuer = await open();
    answers = [json({ error: 'invalid_grant' }, 400)];
    expect(await failure(issuer.refresh(TOKENS))).toEqual(new RefusedError('invalid_grant'));
  });

  it.each([
    ['no answer', (): Error => new TypeError('Failed to fetch')],
    ['a 503', (): Response => json({ error: 'server_error' }, 503)],
    ['a 429', (): Response => json({ error: 'slow_down' }, 429)],
    ['the page of a gateway', (): Response => new Response('<html>', { status: 502 })],
    [
      'the page of a captive portal',
      (): Response => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }),
    ],
  ])('has not refused with %s', async (_, outcome) => {
    const issuer = await open();
    answers = [outcome()];
    expect(await failure(issuer.refresh(TOKENS))).not.toBeInstanceOf(RefusedError);
  });

  it('is another one when its metadata say so', async () => {
    answers = [json({ ...METADATA, issuer: 'https://other.example' })];
    expect(await failure(open())).toBeInstanceOf(RefusedError);
  });

  it('is reached before anybody is sent there when its metadata are configured', async () => {
    const auth = { ...AUTH, metadata: METADATA };
    answers = [new TypeError('Failed to fetch')];
    expect(await failure(open(auth))).not.toBeInstanceOf(RefusedError);
    answers = [new Response()];
    const { url } = await (await open(auth)).begin('', false);
    expect(url).toContain('https://issuer.example/authorize?');
  });

  it('ends its session where it can, under both names of the parameter', async () => {
    const url = new URL((await open()).signOutUrl(TOKENS) ?? '');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: 'page',
      id_token_hint: 'i.d.',
      post_logout_redirect_uri: PAGE,
      logout_uri: PAGE,
    });
    const { issuer, authorization_endpoint, token_endpoint } = METADATA;
    answers = [json({ issuer, authorization_endpoint, token_endpoint })];
    const bare = await open();
    expect(bare.signOutUrl(TOKENS)).toBeNull();
    await bare.revoke(TOKENS);
    expect(sent).toHaveLength(2);
  });

  it('revokes the refresh token', async () => {
    const issuer = await open();
    answers = [new Response()];
    await issuer.revoke(TOKENS);
    const form = new URLSearchParams(await sent.at(-1)?.text());
    expect(Object.fromEntries(form)).toEqual({ client_id: 'page', token: 'r', token_type_hint: 'refresh_token' });
  });
});
