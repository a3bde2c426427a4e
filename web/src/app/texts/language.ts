import { loadTranslations } from '@angular/localize';

import { deviceStorage } from '../browser';

export const LANGUAGES = {
  en: { name: 'English', locale: 'en-GB' },
  de: { name: 'Deutsch', locale: 'de-DE' },
} as const;
export type Language = keyof typeof LANGUAGES;

const KEY = 'orderstream.language';
const SOURCE: Language = 'en';

/** The language that was chosen, for this page of the history or on this device, else the first of the browser's that the page has. */
export function wanted(languages: readonly string[] = navigator.languages): Language {
  const known = Object.keys(LANGUAGES) as Language[];
  const { language: here } = (history.state ?? {}) as { readonly language?: unknown };
  const asked = [String(here ?? deviceStorage.read(KEY) ?? ''), ...languages].map((each) => each.split('-')[0]);
  return asked.flatMap((each) => known.filter((language) => language === each))[0] ?? SOURCE;
}

/** Chooses the language of the documents that are loaded from now on; of this page alone if the browser stores nothing. */
export function choose(language: Language): void {
  const lasts = deviceStorage.write(KEY, language);
  history.replaceState({ ...(history.state as object | null), language: lasts ? null : language }, '');
}

async function loaded(language: Language): Promise<Language> {
  if (language === SOURCE) return SOURCE;
  try {
    loadTranslations((await import('../../locale/de')).translations);
    return language;
  } catch {
    return SOURCE; // without the file there is the language of the sources
  }
}

/**
 * The language of this document. Every module with texts imports this one, and so is evaluated once its messages are
 * translated: `$localize` translates a message when it is evaluated.
 */
export const language = await loaded(wanted());
/** Of numbers, dates and lists. */
export const locale = LANGUAGES[language].locale;
document.documentElement.lang = language;

/** Formats a number with as many decimals as *digits*. */
export const fixed = (value: number, digits: number): string =>
  value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
