/**
 * A storage that never throws: what the browser does not store stays in the memory of this tab.
 *
 * A browser that blocks site data throws when the storage is only named; a full one when it is written to.
 */
export class GuardedStorage {
  /** What the browser did not store, with the value that it still has stored. */
  private readonly kept = new Map<string, { readonly value: string | null; readonly stored: string | null }>();

  constructor(private readonly open: () => Storage) {}

  read(key: string): string | null {
    const stored = this.stored(key);
    const kept = this.kept.get(key);
    // a later value is of another tab
    if (kept?.stored === stored) return kept.value;
    this.kept.delete(key);
    return stored;
  }

  /**
   * Stores *value*, or removes it when it is null.
   *
   * @returns false when it lasts only as long as this document.
   */
  write(key: string, value: string | null): boolean {
    try {
      if (value === null) this.open().removeItem(key);
      else this.open().setItem(key, value);
      this.kept.delete(key);
      return true;
    } catch {
      this.kept.set(key, { value, stored: this.stored(key) });
      return false;
    }
  }

  /** Whether a value that is written survives the document. */
  lasts(): boolean {
    const probe = 'orderstream.probe';
    return this.write(probe, '1') && this.write(probe, null);
  }

  private stored(key: string): string | null {
    try {
      return this.open().getItem(key);
    } catch {
      return null;
    }
  }
}

/** Of all tabs of this origin, until it is cleared. */
export const deviceStorage = new GuardedStorage(() => localStorage);

/** Of this tab, until it is closed. */
export const tabStorage = new GuardedStorage(() => sessionStorage);
