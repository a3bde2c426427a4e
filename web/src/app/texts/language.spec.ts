import { choose, language, locale, wanted } from './language';

describe('language', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    localStorage.clear();
    history.replaceState(null, '');
  });

  it.each([
    [[$localize`de-AT`, $localize`en`], $localize`de`],
    [[$localize`fr`, $localize`de`], $localize`de`],
    [[$localize`en-US`, $localize`de`], $localize`en`],
    [[$localize`fr`], $localize`en`],
    [[], $localize`en`],
  ])('is the first of the browser’s that the page has: %s', (languages, found) => {
    expect(wanted(languages)).toBe(found);
  });

  it('is the one that was chosen', () => {
    choose('de');
    expect(wanted([$localize`en`])).toBe('de');
  });

  it('is kept with the page while the browser stores nothing', () => {
    const blocked = vi.spyOn(Storage.prototype, 'setItem').mockImplementation(() => {
      throw new DOMException('blocked', 'SecurityError');
    });
    history.replaceState({ navigationId: 1 }, '');
    choose('de');
    expect(history.state).toEqual({ navigationId: 1, language: 'de' });
    localStorage.removeItem('orderstream.language'); // as the next document finds it
    expect(wanted([$localize`en`])).toBe('de');
    blocked.mockRestore();
    choose('en');
    expect(wanted([$localize`de`])).toBe('en');
  });

  it('is in the document', () => {
    expect([language, locale, document.documentElement.lang]).toEqual([$localize`en`, $localize`en-GB`, $localize`en`]);
  });
});
