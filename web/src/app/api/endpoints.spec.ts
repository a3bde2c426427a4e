import { TestBed } from '@angular/core/testing';

import { Endpoints } from './endpoints';

const CONFIGURATION = { order: '/o', inventory: '/i', notification: '/n', processing: '/p' };

describe('The configuration', () => {
  let answers: (() => Promise<Response>)[];
  let endpoints: Endpoints;
  let isLoaded: boolean;

  beforeEach(() => {
    answers = [];
    isLoaded = false;
    vi.stubGlobal('fetch', () => answers.shift()?.() ?? Promise.reject(new TypeError('unreachable')));
    endpoints = TestBed.inject(Endpoints);
  });

  afterEach(() => vi.unstubAllGlobals());

  async function load(...next: (() => Promise<Response>)[]): Promise<void> {
    answers = next;
    const loading = endpoints.load();
    void endpoints.loaded().then(() => (isLoaded = true));
    await loading;
    await Promise.resolve();
  }

  const json =
    (value: unknown, status = 200) =>
    () =>
      Promise.resolve(Response.json(value, { status }));

  it('is loaded', async () => {
    await load(json(CONFIGURATION));
    expect(endpoints.state()).toBe('loaded');
    expect(endpoints.url('order', '/orders').pathname).toBe('/o/orders');
    expect(endpoints.logs).toBe('data/logs');
    expect(isLoaded).toBe(true);
  });

  it('says where each service has what every service has', async () => {
    await load(json({ ...CONFIGURATION, order: 'http://127.0.0.1:8080/' }));
    expect(endpoints.own('order', 'health')).toBe('http://127.0.0.1:8080/health/ready');
    expect(endpoints.own('order', 'dead-letters', '/redrive')).toBe('http://127.0.0.1:8080/dead-letters/redrive');
    expect(new URL(endpoints.own('processing', 'health')).pathname).toBe('/p/health/processing');
    expect(new URL(endpoints.own('processing', 'dead-letters', '/7')).pathname).toBe('/p/dead-letters/processing/7');
  });

  it.each([
    ['answered with an error', json({}, 503)],
    ['something else', json({ order: '/o' })],
    ['no JSON', () => Promise.resolve(new Response('<html>'))],
    ['unreachable', () => Promise.reject(new TypeError())],
  ])('is waited for when it is %s', async (_, answer) => {
    await load(answer);
    expect(endpoints.state()).toBe('failed');
    expect(isLoaded).toBe(false);
    await load(answer);
    expect(endpoints.state()).toBe('failed');
    await load(json({ ...CONFIGURATION, logs: '/tmp/logs' }));
    expect(endpoints.state()).toBe('loaded');
    expect(endpoints.logs).toBe('/tmp/logs');
    expect(isLoaded).toBe(true);
  });

  it('gives the access token to the controls of the demo where there are some', async () => {
    await load(json(CONFIGURATION));
    const control = endpoints.demoUrl('orders').href;
    expect([endpoints.demo, endpoints.isService(control)]).toEqual([false, false]);
    await load(json({ ...CONFIGURATION, demo: true }));
    expect([endpoints.demo, endpoints.isService(control)]).toEqual([true, true]);
    expect(endpoints.isService(new URL('/demonstration', document.baseURI).href)).toBe(false);
  });
});
