import { ApplicationRef, Component, PendingTasks } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter, withNavigationErrorHandler } from '@angular/router';

import { BROWSER } from './sign-in/browser';
import { Unloaded } from './unloaded';
import { UnloadedNotice } from './unloaded-notice';

@Component({ template: '' })
class Page {}

describe('A page whose code is gone', () => {
  const left: string[] = [];
  let served: () => Promise<Response>;
  let router: Router;

  beforeEach(() => {
    left.length = 0;
    served = () => Promise.resolve(new Response());
    vi.spyOn(globalThis, 'fetch').mockImplementation(() => served());
    const gone = (): Promise<never> => Promise.reject(new TypeError('Failed to fetch dynamically imported module'));
    TestBed.configureTestingModule({
      providers: [
        provideRouter(
          [
            { path: 'here', component: Page },
            { path: 'gone', loadComponent: gone },
          ],
          withNavigationErrorHandler((error) => void TestBed.inject(Unloaded).onError(error)),
        ),
        { provide: BROWSER, useValue: { leaveFor: (url: string) => left.push(url) } },
      ],
    });
    router = TestBed.inject(Router);
  });

  afterEach(() => vi.restoreAllMocks());

  async function go(url: string): Promise<void> {
    await router.navigateByUrl(url).catch(() => undefined);
  }

  async function stable(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    await TestBed.inject(ApplicationRef).whenStable();
  }

  it('is loaded as a document, once nothing is under way', async () => {
    await go('/here');
    const done = TestBed.inject(PendingTasks).add();
    await go('/gone?a=1');
    await new Promise((resolve) => setTimeout(resolve));
    expect(left).toEqual([]);
    done();
    await vi.waitFor(() => expect(left).toEqual(['/gone?a=1']));
    expect(router.url).toBe('/here');
    expect(TestBed.inject(Unloaded).url()).toBeNull();
  });

  it('is left to who went elsewhere meanwhile', async () => {
    await go('/here');
    const done = TestBed.inject(PendingTasks).add();
    await go('/gone');
    await go('/here?again');
    done();
    await stable();
    expect(left).toEqual([]);
  });

  describe('in part', () => {
    const gone = (): Promise<never> => Promise.reject(new TypeError('Failed to fetch dynamically imported module'));
    const part = (): Promise<string> => TestBed.inject(Unloaded).part(gone);

    it('is loaded as a document, once nothing is under way', async () => {
      await go('/here');
      await go('/here?again=1');
      const done = TestBed.inject(PendingTasks).add();
      void part();
      await new Promise((resolve) => setTimeout(resolve));
      expect(left).toEqual([]);
      done();
      await vi.waitFor(() => expect(left).toEqual(['/here?again=1']));
    });

    it.each([
      ['on the first page of its document', ['/here'], true],
      ['while the server is away', ['/here', '/here?again=1'], false],
    ])('is missed %s', async (_, urls, isServed) => {
      if (!isServed) served = () => Promise.reject(new TypeError('Failed to fetch'));
      for (const url of urls) await go(url);
      await expect(part()).rejects.toThrow('Failed to fetch dynamically');
      expect(left).toEqual([]);
    });

    it('is missed by who went elsewhere meanwhile', async () => {
      await go('/here');
      await go('/here?again=1');
      const done = TestBed.inject(PendingTasks).add();
      const loading = expect(part()).rejects.toThrow();
      await go('/here?elsewhere');
      done();
      await loading;
      expect(left).toEqual([]);
    });
  });

  it.each([
    ['the first of its document', ['/gone'], true],
    ['away with its server', ['/here', '/gone'], false],
  ])('is only named when it is %s, and loaded on request', async (_, urls, isServed) => {
    if (!isServed) served = () => Promise.reject(new TypeError('Failed to fetch'));
    for (const url of urls) await go(url);
    const fixture = TestBed.createComponent(UnloadedNotice);
    const notice = fixture.nativeElement as HTMLElement;
    await vi.waitFor(() => {
      fixture.detectChanges();
      expect(notice.querySelector('[role=alert]')).not.toBeNull();
    });
    expect(left).toEqual([]);
    notice.querySelector('button')!.click();
    expect(left).toEqual(['/gone']);
    await go('/here?again');
    fixture.detectChanges();
    expect(notice.querySelector('[role=alert]')).toBeNull();
  });
});
