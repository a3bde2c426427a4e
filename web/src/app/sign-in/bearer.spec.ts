import { HttpClient, HttpErrorResponse, provideHttpClient, withInterceptors } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { Endpoints } from '../api/endpoints';
import { bearer } from './bearer';
import { Session } from './session';
import { CONFIGURATION, FakeBrowser, FakeIssuer, signInProviders, configured } from './session.testing';
import { RefusedError } from './tokens';

const UNAUTHORIZED = { status: 401, statusText: 'Unauthorized' };

describe('A request to a service', () => {
  let issuer: FakeIssuer;
  let session: Session;
  let http: HttpClient;
  let backend: HttpTestingController;

  beforeEach(async () => {
    localStorage.clear();
    sessionStorage.clear();
    sessionStorage.setItem(
      'orderstream.sign-in',
      JSON.stringify({ state: 's', nonce: 'n', verifier: 'v', returnTo: '' }),
    );
    vi.stubGlobal(
      'fetch',
      configured({ ...CONFIGURATION, order: 'https://order.example/v1', replicas: { order: ['/order-2'] } }),
    );
    issuer = new FakeIssuer();
    const browser = new FakeBrowser();
    browser.answer = new URLSearchParams({ code: 'alice', state: 's' });
    TestBed.configureTestingModule({
      providers: [
        ...signInProviders(issuer, browser),
        provideHttpClient(withInterceptors([bearer])),
        provideHttpClientTesting(),
      ],
    });
    session = TestBed.inject(Session);
    await TestBed.inject(Endpoints).load();
    session.start();
    await session.settled();
    http = TestBed.inject(HttpClient);
    backend = TestBed.inject(HttpTestingController);
  });

  afterEach(() => {
    backend.verify();
    vi.unstubAllGlobals();
  });

  const expectOne = (url: string): Promise<TestRequest> => vi.waitFor(() => backend.expectOne(url));

  it.each(['https://order.example/v1/orders', '/api/orders', '/order-2/metrics'])('%s has the token', async (url) => {
    http.get(url).subscribe();
    const { request } = await expectOne(url);
    expect(request.headers.get('Authorization')).toBe(`Bearer ${await session.token()}`);
  });

  it.each([
    'https://order.example/v10/orders',
    'https://order.example.org/v1/orders',
    'http://order.example/v1/orders',
    'https://elsewhere.example/api/orders',
    '/other',
  ])('but %s, of another, has none', (url) => {
    http.get(url).subscribe();
    expect(backend.expectOne(url).request.headers.has('Authorization')).toBe(false);
  });

  it('is repeated once with another token when the first is refused', async () => {
    const answers: unknown[] = [];
    http.post('/api/orders', { a: 1 }).subscribe((answer) => answers.push(answer));
    const first = await expectOne('/api/orders');
    first.flush(null, UNAUTHORIZED);
    const second = await expectOne('/api/orders');
    expect(second.request.headers.get('Authorization')).not.toBe(first.request.headers.get('Authorization'));
    expect(second.request.body).toEqual({ a: 1 });
    second.flush('placed');
    expect(answers).toEqual(['placed']);
  });

  it('fails when the other token is refused too', async () => {
    const errors: unknown[] = [];
    http.get('/api/orders').subscribe({ error: (error: unknown) => errors.push(error) });
    (await expectOne('/api/orders')).flush(null, UNAUTHORIZED);
    (await expectOne('/api/orders')).flush(null, UNAUTHORIZED);
    expect(errors).toEqual([expect.objectContaining({ status: 401 })]);
  });

  it('is not repeated after another refusal', async () => {
    const errors: unknown[] = [];
    http.get('/api/orders').subscribe({ error: (error: unknown) => errors.push(error) });
    (await expectOne('/api/orders')).flush(null, { status: 403, statusText: 'Forbidden' });
    expect(errors).toEqual([expect.objectContaining({ status: 403 })]);
  });

  it('is not sent once the sign-in has ended', async () => {
    issuer.failure = new RefusedError('invalid_grant');
    await expect(session.replacement(await session.token())).rejects.toThrow();
    const error = await new Promise<unknown>((resolve) => http.get('/api/orders').subscribe({ error: resolve }));
    expect(error).toBeInstanceOf(HttpErrorResponse);
    expect(error).toMatchObject({ status: 401, error: { detail: 'Your sign-in has ended. Sign in again.' } });
  });
});
