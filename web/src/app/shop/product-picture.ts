import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

/** The picture of a product, from `public/products.svg`; decoration, as its name is beside it. */
@Component({
  selector: 'app-product-picture',
  template: ` <svg aria-hidden="true" focusable="false"><use [attr.href]="href()" /></svg> `,
  styles: `
    :host {
      display: grid;
      place-items: center;
      padding: var(--space-2);
      border-radius: var(--radius);
      background: var(--surface-sunken);
    }

    svg {
      inline-size: 100%;
      block-size: 100%;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class ProductPicture {
  /** The name of the picture; undefined for a product without one. */
  readonly picture = input.required<string | undefined>();
  protected readonly href = computed(() => `products.svg#${encodeURIComponent(this.picture() ?? 'box')}`);
}
