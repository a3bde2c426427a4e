import { ChangeDetectionStrategy, Component, computed, inject, input, signal } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';

import { CONSUMERS, Consumer, DeadLetters, Letter, Outcome, WholeLetter } from '../api/dead-letters';
import { ConfirmButton } from '../design/confirm-button';
import { texts } from '../texts';
import { Act } from '../design/act';
import { ActOutcome } from '../design/act-outcome';
import { serviceName } from './labels';

/** A letter and the service that has it. */
interface Found {
  readonly service: Consumer;
  readonly letter: Letter;
}

/**
 * Dead letters: looked for on request, as that hides them from others for a moment; each can be shown, redriven and
 * discarded.
 */
@Component({
  selector: 'app-dead-letters-panel',
  imports: [ActOutcome, ConfirmButton],
  templateUrl: './dead-letters-panel.html',
  styleUrls: ['./panel.css', './late-panel.css', './dead-letters-panel.css'],
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class DeadLettersPanel {
  /** The number of dead letters that the queues report. */
  readonly waiting = input.required<number>();

  private readonly deadLetters = inject(DeadLetters);
  protected readonly texts = texts.operations.deadLetters;
  protected readonly act = new Act();
  /** Null before the first look. */
  protected readonly found = signal<readonly Found[] | null>(null);
  protected readonly whole = signal<ReadonlyMap<string, WholeLetter>>(new Map());
  protected readonly rows = computed(() =>
    (this.found() ?? []).map(({ service, letter }) => ({
      service,
      id: letter.id,
      name: this.texts.letter(letter.type ?? this.texts.unreadable, letter.subject),
      facts: [
        { name: this.texts.queue, value: letter.queue },
        { name: this.texts.sentAt, value: texts.orders.at(Date.parse(letter.sentAt)) },
        { name: this.texts.reason, value: letter.reason ?? this.texts.noReason },
        ...(letter.traceId === null ? [] : [{ name: this.texts.trace, value: letter.traceId }]),
      ],
      whole: this.whole().get(letter.id) ?? null,
    })),
  );

  protected async look(): Promise<void> {
    await this.act.run('processing', this.lists(), (found) => {
      this.found.set(found);
      return this.texts.seen(found.length);
    });
  }

  protected async show(service: Consumer, id: string): Promise<void> {
    await this.act.run(service, this.deadLetters.show(service, id), (letter) => {
      this.whole.update((known) => new Map(known).set(id, letter));
      return '';
    });
  }

  protected async redrive(service: Consumer, id: string): Promise<void> {
    await this.settle(service, this.deadLetters.redrive(service, [id]), this.texts.redriven);
  }

  protected async discard(service: Consumer, id: string): Promise<void> {
    await this.settle(service, this.deadLetters.discard(service, [id]), this.texts.discarded);
  }

  protected body(letter: WholeLetter): string {
    try {
      return JSON.stringify(JSON.parse(letter.body), null, 2);
    } catch {
      // what is no JSON is a reason to be here
      return letter.body;
    }
  }

  private lists(): Observable<readonly Found[]> {
    const read = async (service: Consumer): Promise<readonly Found[]> => {
      const { letters } = await firstValueFrom(this.deadLetters.list(service));
      return letters.map((letter) => ({ service, letter }));
    };
    return new Observable((subscriber) => {
      Promise.all(CONSUMERS.map(read)).then(
        (found) => subscriber.next(found.flat()),
        (error: unknown) => subscriber.error(error),
      );
    });
  }

  private async settle(
    service: Consumer,
    request: Observable<Outcome>,
    done: (queue: string) => string,
  ): Promise<void> {
    await this.act.run(service, request, (outcome) => {
      const isGone = (id: string): boolean => outcome.done.includes(id) || outcome.unseen.includes(id);
      this.found.update((found) => found?.filter((each) => !isGone(each.letter.id)) ?? null);
      const [failed] = outcome.failed;
      if (failed !== undefined) return this.texts.failed(failed.detail);
      return outcome.done.length > 0 ? done(serviceName(service)) : this.texts.unseen;
    });
  }
}
