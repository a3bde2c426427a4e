import { ChangeDetectionStrategy, Component, computed, inject, signal } from '@angular/core';
import { firstValueFrom } from 'rxjs';

import { explanation } from '../api/explanation';
import { Inventory, TaggedProduct } from '../api/inventory';
import { Problem } from '../api/problem';
import { Notice } from '../design/notice';
import { texts } from '../texts';

const NOT_FOUND = 404;
const CONFLICT = 409;
const PRECONDITION_FAILED = 412;
/** The inventory's maximum. */
const MAX_STOCK = 2_147_483_647;

/** Sets the stock of a product, in the version that is shown, or adds the product. */
@Component({
  selector: 'app-stock-panel',
  imports: [Notice],
  templateUrl: './stock-panel.html',
  styleUrl: './stock-panel.css',
  changeDetection: ChangeDetectionStrategy.OnPush,
})
export class StockPanel {
  private readonly inventory = inject(Inventory);
  protected readonly texts = texts.operations.stock;
  protected readonly typedId = signal('');
  protected readonly typedStock = signal('');
  /** The product that was found; null when there is none with the id, undefined before the first look. */
  protected readonly found = signal<TaggedProduct | null | undefined>(undefined);
  protected readonly foundId = signal('');
  protected readonly busy = signal(false);
  protected readonly message = signal('');
  protected readonly failure = signal('');
  protected readonly stock = computed(() => quantity(this.typedStock()));
  protected readonly isWrong = computed(() => this.typedStock() !== '' && this.stock() === null);

  protected async find(event: Event): Promise<void> {
    event.preventDefault();
    const productId = this.typedId().trim();
    if (productId === '') return;
    this.message.set('');
    await this.attempt(() => this.load(productId));
  }

  protected async save(event: Event): Promise<void> {
    event.preventDefault();
    const [stock, found, productId] = [this.stock(), this.found(), this.foundId()];
    if (stock === null || found === undefined) return;
    await this.attempt(async () => {
      const change =
        found === null ? this.inventory.add(productId, stock) : this.inventory.setStock(productId, stock, found.etag);
      this.show(await firstValueFrom(change));
      this.message.set(this.texts.saved(productId, stock));
    });
  }

  private async load(productId: string): Promise<void> {
    this.found.set(undefined);
    this.foundId.set(productId);
    this.show(await firstValueFrom(this.inventory.get(productId)).catch(nullIfMissing));
  }

  private show(found: TaggedProduct | null): void {
    this.found.set(found);
    this.typedStock.set(found?.product.stock.toString() ?? '');
  }

  private async attempt(step: () => Promise<void>): Promise<void> {
    if (this.busy()) return;
    this.busy.set(true);
    this.failure.set('');
    this.message.set('');
    try {
      await step();
    } catch (error) {
      await this.onFailure(Problem.of('inventory', error));
    } finally {
      this.busy.set(false);
    }
  }

  private async onFailure(problem: Problem): Promise<void> {
    const isStale = problem.status === PRECONDITION_FAILED || problem.status === CONFLICT;
    this.failure.set(isStale ? this.texts.stale : explanation(problem));
    if (isStale) await this.load(this.foundId()).catch(() => undefined); // the failure above remains
  }
}

function nullIfMissing(error: unknown): null {
  if (error instanceof Problem && error.status === NOT_FOUND) return null;
  throw error;
}

function quantity(typed: string): number | null {
  const value = /^\s*\d{1,10}\s*$/.test(typed) ? Number(typed) : NaN;
  return value <= MAX_STOCK ? value : null;
}
