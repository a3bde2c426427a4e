import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { HEIGHT, WIDTH, linePoints } from './line-points';

/** A sparkline, the oldest value left, on a scale from 0 to *maximum*. */
@Component({
  selector: 'app-sparkline',
  template: `<svg role="img" [attr.aria-label]="label()" [attr.viewBox]="box" preserveAspectRatio="none">
    <polyline [attr.points]="points()" />
  </svg>`,
  styles: `
    :host {
      display: block;
    }
    svg {
      display: block;
      inline-size: 100%;
      block-size: 3rem;
      border-radius: var(--radius);
      background: var(--surface-sunken);
    }
    polyline {
      fill: none;
      stroke: var(--accent);
      stroke-width: 1.5;
      vector-effect: non-scaling-stroke;
    }
  `,
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class Sparkline {
  readonly values = input.required<readonly number[]>();
  readonly maximum = input.required<number>();
  readonly label = input.required<string>();
  protected readonly box = `0 0 ${WIDTH.toString()} ${HEIGHT.toString()}`;
  protected readonly points = computed(() => linePoints(this.values(), this.maximum()));
}
