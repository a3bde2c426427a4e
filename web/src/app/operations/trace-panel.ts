import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';

import { Endpoints } from '../api/endpoints';
import { CopyButton } from '../design/copy-button';
import { texts } from '../texts';
import { traceCommands, traceIdOf } from './trace-commands';

/** Commands that find the log lines of a trace id in all services; the page itself can't read logs. */
@Component({
  selector: 'app-trace-panel',
  imports: [CopyButton],
  templateUrl: './trace-panel.html',
  styleUrl: './trace-panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class TracePanel {
  protected readonly texts = texts.operations.trace;
  private readonly logs = inject(Endpoints).logs;
  protected readonly pasted = signal('');
  protected readonly wrong = computed(() => this.pasted().trim() !== '' && traceIdOf(this.pasted()) === null);
  protected readonly commands = computed(() => {
    const traceId = traceIdOf(this.pasted());
    if (traceId === null) return [];
    const { insights, awsCli, files } = traceCommands(traceId, this.logs);
    return [
      { name: this.texts.files, text: files },
      { name: this.texts.insights, text: insights },
      { name: this.texts.awsCli, text: awsCli },
    ];
  });

  protected paste(event: Event): void {
    this.pasted.set((event.target as HTMLInputElement).value);
  }
}
