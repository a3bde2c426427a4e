import { TestBed } from '@angular/core/testing';

import { ConfirmButton } from './confirm-button';

describe('ConfirmButton', () => {
  async function shown(): Promise<{
    page: HTMLElement;
    press: (name: string) => Promise<void>;
    confirmed: () => number;
  }> {
    const fixture = TestBed.createComponent(ConfirmButton);
    const page = fixture.nativeElement as HTMLElement;
    document.body.append(page);
    fixture.componentRef.setInput('text', 'Discard');
    fixture.componentRef.setInput('question', 'Discard it?');
    fixture.componentRef.setInput('yes', 'Yes');
    let count = 0;
    fixture.componentInstance.confirmed.subscribe(() => {
      count += 1;
      fixture.componentRef.setInput('disabled', true); // as an act does while it is under way
    });
    await fixture.whenStable();
    const press = async (name: string): Promise<void> => {
      [...page.querySelectorAll('button')].find((each) => each.textContent.trim() === name)?.click();
      await fixture.whenStable();
    };
    return { page, press, confirmed: () => count };
  }

  it('asks first, and has the focus at what does nothing', async () => {
    const { page, press, confirmed } = await shown();
    await press('Discard');
    expect(page.querySelector('[role=group]')?.textContent).toContain('Discard it?');
    expect(document.activeElement?.textContent).toBe('No');
    await press('No');
    expect(confirmed()).toBe(0);
    expect(document.activeElement?.textContent.trim()).toBe('Discard');
  });

  it('acts once when it is confirmed', async () => {
    const { page, press, confirmed } = await shown();
    await press('Discard');
    await press('Yes');
    expect(confirmed()).toBe(1);
    expect(page.querySelector('[role=group]')).toBeNull();
    expect(document.activeElement).toBe(page.querySelector('button'));
    expect(document.activeElement?.getAttribute('aria-disabled')).toBe('true');
    await press('Discard');
    expect(page.querySelector('[role=group]')).toBeNull();
  });
});
