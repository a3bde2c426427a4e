import { loadCodeOf, routes } from './app.routes';

describe('loadCodeOf', () => {
  it.each([
    ['/', ''],
    ['/orders?status=CLOSED', 'orders'],
    ['/orders/7#top', 'orders/:id'],
    ['/operations', 'operations'],
    ['/orders/7/nowhere', undefined],
  ])('begins to load the code of the page at %s, and of no other', (url, path) => {
    const pages = routes[0]?.children ?? [];
    const loads = pages.map((page) => vi.spyOn(page as Required<typeof page>, 'loadComponent').mockReturnValue(gone()));
    loadCodeOf(url);
    expect(pages.filter((_, place) => loads[place]!.mock.calls.length > 0).map((each) => each.path)).toEqual(
      path === undefined ? [] : [path],
    );
    vi.restoreAllMocks();
  });
});

function gone(): Promise<never> {
  const failed = Promise.reject<never>(new TypeError('Failed to fetch dynamically imported module'));
  failed.catch(() => undefined);
  return failed;
}
