import { HttpTestingController } from '@angular/common/http/testing';

import { Description, DescriptionPage } from '../api/inventory';

export const described = (productId: string, name: string, minorUnits: number, currency = 'EUR'): Description => ({
  productId,
  name,
  description: `About ${name}.`,
  price: { minorUnits, currency },
  picture: productId,
});

/** Answers the request for the descriptions. */
export function answerDescriptions(
  server: HttpTestingController,
  products: readonly Description[] = [],
  next: string | null = null,
): void {
  const page: DescriptionPage = { products, next };
  server.expectOne((sent) => sent.url.includes('/products?')).flush(page);
}
