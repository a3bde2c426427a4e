import { DOCUMENT, ChangeDetectionStrategy, Component, effect, inject, signal } from '@angular/core';

import { deviceStorage } from '../browser';
import { texts } from '../texts';

type Theme = 'system' | 'light' | 'dark';

const KEY = 'orderstream.theme';

/** Selects the light, dark or system theme. */
@Component({
  selector: 'app-theme-switch',
  template: `
    <label>
      <span class="visually-hidden">{{ texts.label }}</span>
      <select class="field small" [value]="theme()" (change)="choose($event)">
        @for (each of themes; track each) {
          <option [value]="each" [selected]="each === theme()">{{ texts[each] }}</option>
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
export class ThemeSwitch {
  protected readonly texts = texts.shell.theme;
  protected readonly themes: readonly Theme[] = ['system', 'light', 'dark'];
  protected readonly theme = signal<Theme>(stored());

  constructor() {
    const root = inject(DOCUMENT).documentElement;
    effect(() => {
      const theme = this.theme();
      if (theme === 'system') delete root.dataset['theme'];
      else root.dataset['theme'] = theme;
    });
  }

  protected choose(event: Event): void {
    const theme = asTheme((event.target as HTMLSelectElement).value);
    this.theme.set(theme);
    deviceStorage.write(KEY, theme);
  }
}

function stored(): Theme {
  return asTheme(deviceStorage.read(KEY));
}

function asTheme(value: string | null): Theme {
  return value === 'light' || value === 'dark' ? value : 'system';
}
