import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';

import { SERVICES } from '../api/endpoints';
import { DocsPage } from './docs-page';

const OPEN_API = {
  info: { title: 'a service', description: 'It serves.' },
  paths: { '/things': { get: { summary: 'List things', responses: { 200: { description: '<b>Things</b>' } } } } },
};
const ASYNC_API = { info: { title: 'Orderstream', description: 'The events.' }, channels: {} };

describe('DocsPage', () => {
  it('shows what it can read, and names what it can’t', async () => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    const server = TestBed.inject(HttpTestingController);
    const fixture = TestBed.createComponent(DocsPage);
    const page = fixture.nativeElement as HTMLElement;
    await fixture.whenStable();
    expect(page.querySelector('app-skeleton')).not.toBeNull();

    for (const service of SERVICES) {
      const request = server.expectOne((each) => new URL(each.url).pathname === `/api/openapi/${service}`);
      expect(request.request.timeout).toBe(10_000);
      if (service === 'inventory') request.error(new ProgressEvent('error'));
      else request.flush(OPEN_API);
    }
    const messages = server.expectOne((each) => each.url.endsWith('/asyncapi.json'));
    expect(messages.request.timeout).toBe(10_000);
    messages.flush(ASYNC_API);
    await fixture.whenStable();

    expect(page.querySelector('#order summary')?.textContent).toContain('GET /things');
    expect(page.querySelector('#order')?.textContent).toContain('<b>Things</b>');
    expect(page.querySelector('b')).toBeNull();
    expect(page.querySelector('#inventory [role=alert]')?.textContent).toContain(
      '/api/openapi/inventory can’t be read',
    );
    expect(page.querySelector('#messages')?.textContent).toContain('The events.');
  });
});
