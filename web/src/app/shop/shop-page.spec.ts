import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';

import { signedInAs } from '../sign-in/session.testing';
import { answerDescriptions, described } from './assortment.testing';
import { BasketStore } from './basket-store';
import { ShopPage } from './shop-page';

describe('ShopPage', () => {
  it('shows products and basket, and a summary in the bar', async () => {
    localStorage.clear();
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting(), provideRouter([])] });
    const fixture = TestBed.createComponent(ShopPage);
    fixture.detectChanges();
    const product = { productId: '123', stock: 4, version: 1, lastUpdate: '' };
    TestBed.inject(HttpTestingController)
      .expectOne((sent) => sent.url.includes('/inventory?'))
      .flush({ items: [product], next: null });
    answerDescriptions(TestBed.inject(HttpTestingController), [described('123', 'Pencil', 120)]);
    await fixture.whenStable();
    fixture.detectChanges();
    const page = fixture.nativeElement as HTMLElement;
    const headings = [...page.querySelectorAll('h1, h2, h3')].map((each) => [each.tagName, each.textContent]);
    expect(headings).toEqual([
      ['H1', 'Shop'],
      ['H2', 'Products'],
      ['H3', 'Pencil'],
      ['H2', 'Basket'],
    ]);
    const bar = page.querySelector('.bar')!;
    expect(bar.textContent).toContain('Basket is empty');
    TestBed.inject(BasketStore).change({ type: 'add', productId: '123', quantity: 3 });
    fixture.detectChanges();
    expect(bar.textContent).toContain('Basket: 1 product');
  });

  it('shows viewers products without basket and buttons', async () => {
    const providers = [provideHttpClient(), provideHttpClientTesting(), provideRouter([]), signedInAs('viewer')];
    TestBed.configureTestingModule({ providers });
    const fixture = TestBed.createComponent(ShopPage);
    fixture.detectChanges();
    const product = { productId: '123', stock: 4, version: 1, lastUpdate: '' };
    TestBed.inject(HttpTestingController)
      .expectOne((sent) => sent.url.includes('/inventory?'))
      .flush({ items: [product], next: null });
    answerDescriptions(TestBed.inject(HttpTestingController), [described('123', 'Pencil', 120)]);
    await fixture.whenStable();
    fixture.detectChanges();
    const page = fixture.nativeElement as HTMLElement;
    expect([...page.querySelectorAll('h1, h2, h3')].map((each) => each.textContent)).toEqual([
      'Shop',
      'Products',
      'Pencil',
    ]);
    expect(page.querySelectorAll('button')).toHaveLength(0);
  });
});
