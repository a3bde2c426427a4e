import { TestBed } from '@angular/core/testing';

import { AccountMenu } from './account-menu';
import { Session } from './session';
import { signedInAs } from './session.testing';

describe('The account in the header', () => {
  function page(): HTMLElement {
    const fixture = TestBed.createComponent(AccountMenu);
    fixture.detectChanges();
    return fixture.nativeElement as HTMLElement;
  }

  it('says that nobody has to sign in', () => {
    expect(page().textContent).toContain('Open: no sign-in');
  });

  it('names who is signed in, with the role and the ways out', () => {
    TestBed.configureTestingModule({ providers: [signedInAs('viewer')] });
    const menu = page();
    expect(menu.querySelector('summary')?.textContent).toBe('Alice');
    expect(menu.querySelector('summary')?.getAttribute('aria-label')).toBe('Account: Alice, Viewer');
    expect([...menu.querySelectorAll('button')].map((each) => each.textContent)).toEqual([
      'Sign out',
      'Use another account',
    ]);
  });

  it('closes with Escape and with a click elsewhere', () => {
    TestBed.configureTestingModule({ providers: [signedInAs('customer')] });
    const menu = page();
    const details = menu.querySelector('details')!;
    for (const [target, event] of [
      [details, new KeyboardEvent('keydown', { key: 'Escape', bubbles: true })],
      [document.body, new MouseEvent('click', { bubbles: true })],
    ] as const) {
      document.body.append(menu);
      details.open = true;
      target.dispatchEvent(event);
      expect(details.open).toBe(false);
    }
  });

  it('signs out', () => {
    const signOut = vi.fn();
    TestBed.configureTestingModule({ providers: [signedInAs('customer')] });
    Object.assign(TestBed.inject(Session), { signOut });
    page().querySelector('button')?.click();
    expect(signOut).toHaveBeenCalledOnce();
  });
});
