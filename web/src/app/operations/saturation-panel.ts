import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Threshold, levelOf } from './findings';
import { serviceName } from './labels';
import { Saturation } from './traffic';

type Resource = Exclude<keyof Saturation, 'service'>;

interface Row {
  readonly name: string;
  readonly resource: Resource;
  readonly format: (value: number) => string;
  /** The values from which it is nearly exhausted. */
  readonly threshold?: Threshold;
}

/** Shares of a limit. */
const FULL = { warn: 0.8, bad: 0.95 } as const;
const labels = texts.operations.saturation;
const { bytes, count, duration, percent } = texts.operations;
const ROWS: readonly Row[] = [
  { name: labels.cpu, resource: 'cpu', format: percent, threshold: FULL },
  { name: labels.loopLag, resource: 'loopLagSeconds', format: duration, threshold: { warn: 0.1, bad: 1 } },
  { name: labels.pool, resource: 'pool', format: percent, threshold: FULL },
  { name: labels.waiting, resource: 'waiting', format: count, threshold: { warn: 1, bad: 50 } },
  { name: labels.files, resource: 'files', format: percent, threshold: FULL },
  { name: labels.connections, resource: 'connections', format: count },
  { name: labels.inFlight, resource: 'inFlight', format: count },
  { name: labels.memory, resource: 'memoryBytes', format: bytes },
];

/** How full each service is: a column for each service. */
@Component({
  selector: 'app-saturation-panel',
  imports: [Notice],
  templateUrl: './saturation-panel.html',
  styleUrl: './panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class SaturationPanel {
  readonly saturation = input.required<readonly Saturation[]>();

  protected readonly texts = labels;
  protected readonly services = computed(() => this.saturation().map((each) => serviceName(each.service)));
  protected readonly rows = computed(() =>
    ROWS.map(({ name, resource, format, threshold }) => ({
      name,
      cells: this.saturation().map((each) => {
        const value = each[resource];
        return {
          service: each.service,
          text: value === null ? texts.operations.none : format(value),
          level: value === null || threshold === undefined ? '' : levelOf(value, threshold),
        };
      }),
    })),
  );
}
