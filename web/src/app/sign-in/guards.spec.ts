import { provideHttpClient } from '@angular/common/http';
import { provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';

import { routes } from '../app.routes';
import { Role } from './person';
import { signedInAs } from './session.testing';

describe('The operations page', () => {
  async function headingFor(role: Role): Promise<string | null | undefined> {
    TestBed.configureTestingModule({
      providers: [provideHttpClient(), provideHttpClientTesting(), provideRouter(routes), signedInAs(role)],
    });
    const harness = await RouterTestingHarness.create('/operations');
    return harness.routeNativeElement?.querySelector('h1')?.textContent;
  }

  it('is a sentence for customers', async () => {
    expect(await headingFor('customer')).toBe('Not for this account');
  });

  it.each(['operator', 'viewer'] as const)('is there for an %s', async (role) => {
    expect(await headingFor(role)).toBe('Operations');
  });
});
