import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { ConnectionsPanel } from './connections-panel';

describe('ConnectionsPanel', () => {
  it('disconnects a customer after a question, and says what happened', async () => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    const fixture = TestBed.createComponent(ConnectionsPanel);
    const page = fixture.nativeElement as HTMLElement;
    const press = async (name: string): Promise<void> => {
      [...page.querySelectorAll('button')].find((each) => each.textContent.trim() === name)?.click();
      await fixture.whenStable();
    };
    await fixture.whenStable();
    expect(page.querySelector('button')?.getAttribute('aria-disabled')).toBe('true');
    const input = page.querySelector('input')!;
    input.value = ' alice ';
    input.dispatchEvent(new Event('input'));
    await fixture.whenStable();
    await press('Disconnect');
    expect(page.textContent).toContain('End all connections of alice?');
    await press('Yes, disconnect');
    const server = TestBed.inject(HttpTestingController);
    const sent = server.expectOne(({ url }) => url.endsWith('/connections/disconnect'));
    expect(sent.request.body).toEqual({ customerId: 'alice' });
    sent.flush({ customerId: 'alice', tickets: 1, replicas: 2 });
    await vi.waitFor(() =>
      expect(page.querySelector('[role=status]')?.textContent).toBe(
        '2 replicas end the connections of alice; 1 unused ticket was withdrawn.',
      ),
    );
  });
});
