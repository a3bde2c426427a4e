import { ChangeDetectionStrategy, Component, DOCUMENT, inject } from '@angular/core';

import { texts } from '../texts';
import { LANGUAGES, Language, choose, language } from '../texts/language';

/** Selects the language; the page is loaded again in it. */
@Component({
  selector: 'app-language-switch',
  template: `
    <label>
      <span class="visually-hidden">{{ label }}</span>
      <select class="field small" (change)="change($event)">
        @for (each of languages; track each.language) {
          <option [value]="each.language" [lang]="each.language" [selected]="each.language === current">
            {{ each.name }}
          </option>
        }
      </select>
    </label>
  `,
  styles: `
    select {
      padding-inline: var(--space-2);
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class LanguageSwitch {
  private readonly window = inject(DOCUMENT).defaultView;
  protected readonly label = texts.shell.language;
  protected readonly current = language;
  protected readonly languages = (Object.keys(LANGUAGES) as Language[]).map((each) => ({
    language: each,
    name: LANGUAGES[each].name,
  }));

  protected change(event: Event): void {
    choose((event.target as HTMLSelectElement).value as Language);
    this.window?.location.reload();
  }
}
