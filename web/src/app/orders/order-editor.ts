import {
  ChangeDetectionStrategy,
  Component,
  ElementRef,
  afterNextRender,
  computed,
  effect,
  inject,
  Injector,
  input,
  output,
  signal,
  untracked,
  viewChild,
} from '@angular/core';
import { firstValueFrom } from 'rxjs';

import { MAX_QUANTITY, OrderLine, Orders, TaggedOrder } from '../api/orders';
import { Problem } from '../api/problem';
import { Notice } from '../design/notice';
import { texts } from '../texts';
import { Refusal, refusal } from './refusal';

interface Line {
  readonly productId: string;
  /** As typed by the user. */
  readonly typed: string;
}

/** Changes the quantities of an order or cancels it; only in the version that is shown. */
@Component({
  selector: 'app-order-editor',
  imports: [Notice],
  templateUrl: './order-editor.html',
  styleUrl: './order-editor.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class OrderEditor {
  readonly tagged = input.required<TaggedOrder>();
  readonly changed = output<TaggedOrder>();
  /** The order may have changed: it has to be read again. */
  readonly outdated = output();

  protected readonly texts = texts.orders.editor;
  protected readonly max = MAX_QUANTITY;
  protected readonly open = computed(() => this.tagged().order.status === 'CREATED');
  protected readonly lines = signal<readonly Line[]>([]);
  protected readonly wrong = computed(() => this.lines().filter((line) => quantity(line.typed) === null));
  protected readonly same = computed(() => same(this.lines(), this.base()));
  protected readonly busy = signal<'saving' | 'cancelling' | null>(null);
  protected readonly confirming = signal(false);
  protected readonly refusal = signal<Refusal | null>(null);
  /** What was done, while the version that came of it is shown. */
  protected readonly message = computed(() => (this.done()?.etag === this.etag() ? (this.done()?.text ?? '') : ''));

  private readonly done = signal<{ readonly text: string; readonly etag: string } | null>(null);
  private readonly etag = computed(() => this.tagged().etag);
  /** The quantities of the version that is edited. */
  private readonly base = signal<readonly OrderLine[]>([]);
  private readonly orders = inject(Orders);
  private readonly injector = inject(Injector);
  private readonly no = viewChild<ElementRef<HTMLElement>>('no');
  private readonly cancelButton = viewChild<ElementRef<HTMLElement>>('cancelButton');

  constructor() {
    // keep the input while the same version is read again
    effect(() => {
      this.etag();
      untracked(() => this.begin());
    });
  }

  protected type(place: number, event: Event): void {
    const { value } = event.target as HTMLInputElement;
    this.lines.update((lines) => lines.map((line, index) => (index === place ? { ...line, typed: value } : line)));
  }

  protected isWrong(line: Line): boolean {
    return this.wrong().includes(line);
  }

  protected async save(event: Event): Promise<void> {
    event.preventDefault();
    if (this.wrong().length > 0 || this.same() || this.busy() !== null) return;
    const items: readonly OrderLine[] = this.lines().map((line) => ({
      productId: line.productId,
      quantity: quantity(line.typed) ?? 1,
    }));
    const { order, etag } = this.tagged();
    await this.attempt(
      'saving',
      () => firstValueFrom(this.orders.change(order.id, items, etag)),
      (changed) => this.texts.changed(changed.order.version),
    );
  }

  protected setConfirming(confirming: boolean): void {
    this.confirming.set(confirming);
    // keep the keyboard focus at the question, or at the button
    afterNextRender(() => (confirming ? this.no() : this.cancelButton())?.nativeElement.focus(), {
      injector: this.injector,
    });
  }

  protected async cancel(): Promise<void> {
    if (this.busy() !== null) return;
    const { order, etag } = this.tagged();
    await this.attempt(
      'cancelling',
      () => firstValueFrom(this.orders.cancel(order.id, etag)),
      () => this.texts.cancelled,
    );
    this.confirming.set(false);
  }

  private begin(): void {
    const lost = !same(this.lines(), this.base()) && this.busy() === null;
    const { orderItems } = this.tagged().order;
    this.base.set(orderItems);
    this.lines.set(orderItems.map(({ productId, quantity }) => ({ productId, typed: quantity.toString() })));
    if (lost) this.refusal.set({ text: this.texts.stale, details: [] });
  }

  private async attempt(
    busy: 'saving' | 'cancelling',
    change: () => Promise<TaggedOrder>,
    messageOf: (changed: TaggedOrder) => string,
  ): Promise<void> {
    this.busy.set(busy);
    this.refusal.set(null);
    this.done.set(null);
    try {
      const changed = await change();
      this.base.set(changed.order.orderItems);
      this.done.set({ text: messageOf(changed), etag: changed.etag });
      this.changed.emit(changed);
    } catch (error) {
      this.refusal.set(refusal(Problem.of('order', error)));
      this.outdated.emit();
    } finally {
      this.busy.set(null);
    }
  }
}

function same(lines: readonly Line[], base: readonly OrderLine[]): boolean {
  return base.every((line, place) => quantity(lines[place]?.typed ?? '') === line.quantity);
}

/** Parses a quantity; null when it is invalid. */
function quantity(typed: string): number | null {
  const value = /^\s*\d{1,7}\s*$/.test(typed) ? Number(typed) : 0;
  return value >= 1 && value <= MAX_QUANTITY ? value : null;
}
