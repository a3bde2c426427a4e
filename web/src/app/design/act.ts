import { signal } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';

import { Service } from '../api/endpoints';
import { explanation } from '../api/explanation';
import { Problem } from '../api/problem';

/** What an operator does, one thing at a time, and a sentence about how it went. */
export class Act {
  readonly busy = signal(false);
  readonly message = signal('');
  readonly failure = signal('');

  /** @returns whether it succeeded. */
  async run<T>(service: Service, request: Observable<T>, sentence: (answer: T) => string): Promise<boolean> {
    if (this.busy()) return false;
    this.busy.set(true);
    this.failure.set('');
    this.message.set('');
    try {
      this.message.set(sentence(await firstValueFrom(request)));
      return true;
    } catch (error) {
      this.failure.set(explanation(Problem.of(service, error)));
      return false;
    } finally {
      this.busy.set(false);
    }
  }
}
