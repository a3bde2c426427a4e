import { ChangeDetectionStrategy, Component, computed, input } from '@angular/core';

import { Notice } from '../design/notice';
import { texts } from '../texts';
import { levelOf } from './findings';
import { serviceName } from './labels';
import { Saturation } from './traffic';

/** Shares from which a resource is nearly exhausted. */
const FULL = { warn: 0.8, bad: 0.95 } as const;

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

  protected readonly texts = texts.operations.saturation;
  protected readonly rows = computed(() => {
    const { bytes, count, percent } = texts.operations;
    return this.saturation().map(({ service, cpu, memoryBytes, connections, files, inFlight }) => ({
      service,
      name: serviceName(service),
      cells: [
        cell(this.texts.cpu, cpu, percent, cpu),
        cell(this.texts.memory, memoryBytes, bytes),
        cell(this.texts.connections, connections, count),
        cell(this.texts.files, files, percent, files),
        cell(this.texts.inFlight, inFlight, count),
      ],
    }));
  });
}

function cell(
  name: string,
  value: number | null,
  format: (value: number) => string,
  share: number | null = null,
): { readonly name: string; readonly text: string; readonly level: string } {
  return {
    name,
    text: value === null ? texts.operations.none : format(value),
    level: share === null ? '' : levelOf(share, FULL),
  };
}
