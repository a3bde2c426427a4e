import { choose, language, locale, wanted } from './language';

describe('language', () => {
  afterEach(() => localStorage.clear());

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

  it('is in the document', () => {
    expect([language, locale, document.documentElement.lang]).toEqual([$localize`en`, $localize`en-GB`, $localize`en`]);
  });
});
