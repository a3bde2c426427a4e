import { TestBed } from '@angular/core/testing';

import { TracePanel } from './trace-panel';

const ID = 'fb933d82107025c1e574447d39867536';

async function pasted(text: string): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(TracePanel);
  await fixture.whenStable();
  const page = fixture.nativeElement as HTMLElement;
  const input = page.querySelector('input')!;
  input.value = text;
  input.dispatchEvent(new Event('input'));
  await fixture.whenStable();
  return page;
}

describe('TracePanel', () => {
  it('has three commands for a trace id', async () => {
    const page = await pasted(`00-${ID}-00f067aa0ba902b7-01`);
    const commands = [...page.querySelectorAll('pre')].map((each) => each.textContent);
    expect(commands.length).toBe(3);
    for (const command of commands) expect(command).toContain(ID);
    expect(page.querySelectorAll('app-copy-button').length).toBe(3);
  });

  it('reports an invalid trace id and has no commands', async () => {
    const page = await pasted('"; rm -rf /');
    expect(page.querySelector('input')?.getAttribute('aria-invalid')).toBe('true');
    expect(page.querySelector('[role=status]')?.textContent).toContain('32 hexadecimal digits');
    expect(page.querySelector('pre')).toBeNull();
  });

  it('is empty without input', async () => {
    const page = await pasted('');
    expect(page.querySelector('[role=status]')?.textContent).toBe('');
  });
});
