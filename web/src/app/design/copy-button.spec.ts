import { ComponentFixture, TestBed } from '@angular/core/testing';

import { texts } from '../texts';
import { CopyButton } from './copy-button';

describe('CopyButton', () => {
  let fixture: ComponentFixture<CopyButton>;

  beforeEach(() => {
    fixture = TestBed.createComponent(CopyButton);
    fixture.componentRef.setInput('text', 'abc');
  });

  afterEach(() => vi.unstubAllGlobals());

  async function pressed(): Promise<string> {
    const button = (fixture.nativeElement as HTMLElement).querySelector('button');
    await fixture.whenStable();
    button?.click();
    await fixture.whenStable();
    return button?.textContent.trim() ?? '';
  }

  it('copies the text and confirms it', async () => {
    const writeText = vi.fn(() => Promise.resolve());
    vi.stubGlobal('navigator', { clipboard: { writeText } });
    expect(await pressed()).toBe(texts.common.copied);
    expect(writeText).toHaveBeenCalledWith('abc');
  });

  it('reports a missing clipboard', async () => {
    vi.stubGlobal('navigator', {});
    expect(await pressed()).toBe(texts.common.notCopied);
  });
});
