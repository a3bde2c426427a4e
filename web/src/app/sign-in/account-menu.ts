import { ChangeDetectionStrategy, Component, ElementRef, computed, inject, viewChild } from '@angular/core';

import { texts } from '../texts';
import { Session } from './session';

/** Who is signed in, with the way out; or that nobody has to sign in. */
@Component({
  selector: 'app-account-menu',
  template: `
    @if (session.phase() === 'open') {
      <span class="small soft open"
        >{{ texts.open }}<span class="hint">{{ texts.openHint }}</span></span
      >
    } @else if (session.person(); as person) {
      <details #menu>
        <summary class="small" [attr.aria-label]="label()">{{ person.name }}</summary>
        <div class="card">
          <p class="name">{{ person.name }}</p>
          <p class="small soft">{{ texts.roles[person.role] }}</p>
          <button type="button" class="button" (click)="session.signOut()">{{ texts.signOut }}</button>
          <button type="button" class="button" (click)="session.changePerson()">{{ texts.another }}</button>
        </div>
      </details>
    }
  `,
  styleUrl: './account-menu.css',
  host: {
    '(document:click)': 'closeUnlessWithin($event)',
    '(keydown.escape)': 'close()',
  },
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class AccountMenu {
  protected readonly session = inject(Session);
  protected readonly texts = texts.signIn;
  protected readonly label = computed(() => {
    const person = this.session.person();
    return person === null ? '' : this.texts.account(person.name, this.texts.roles[person.role]);
  });
  private readonly menu = viewChild<ElementRef<HTMLDetailsElement>>('menu');

  protected closeUnlessWithin(event: Event): void {
    if (!(event.target instanceof Node) || !this.menu()?.nativeElement.contains(event.target)) this.close();
  }

  protected close(): void {
    const menu = this.menu()?.nativeElement;
    if (!menu?.open) return;
    const hadFocus = menu.contains(document.activeElement);
    menu.open = false;
    if (hadFocus) menu.querySelector('summary')?.focus();
  }
}
