import { TestBed } from '@angular/core/testing';

import { QuantityStepper } from './quantity-stepper';

describe('QuantityStepper', () => {
  function shown(quantity: number): {
    chosen: number[];
    less: HTMLButtonElement;
    field: HTMLInputElement;
    more: HTMLButtonElement;
  } {
    const fixture = TestBed.createComponent(QuantityStepper);
    fixture.componentRef.setInput('name', '123');
    fixture.componentRef.setInput('quantity', quantity);
    fixture.detectChanges();
    const chosen: number[] = [];
    fixture.componentInstance.chosen.subscribe((each) => chosen.push(each));
    const element = fixture.nativeElement as HTMLElement;
    const [less, more] = element.querySelectorAll('button');
    return { chosen, less: less!, more: more!, field: element.querySelector('input')! };
  }

  function type(field: HTMLInputElement, text: string): void {
    field.value = text;
    field.dispatchEvent(new Event('change'));
  }

  it('steps up and down', () => {
    const { chosen, less, more } = shown(3);
    less.click();
    more.click();
    expect(chosen).toEqual([2, 4]);
  });

  it('is limited to one and a million', () => {
    expect(shown(1).less.disabled).toBe(true);
    expect(shown(1_000_000).more.disabled).toBe(true);
  });

  it.each([
    ['17', 17],
    ['0', 1],
    ['-3', 1],
    ['2.5', 2],
    ['9999999', 1_000_000],
    ['', 3],
  ])('clamps “%s” and shows the result', (text, quantity) => {
    const { chosen, field } = shown(3);
    type(field, text);
    expect(chosen).toEqual([quantity]);
    expect(field.value).toBe(quantity.toString());
  });

  it('has its product in its accessible names', () => {
    const { less, more, field } = shown(3);
    expect([less, field, more].map((each) => each.getAttribute('aria-label'))).toEqual([
      'One less of 123',
      'Quantity of 123',
      'One more of 123',
    ]);
  });
});
