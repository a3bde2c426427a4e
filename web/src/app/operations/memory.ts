import { tabStorage } from '../browser';
import { HISTORY_MS, HistoryPoint } from './history';
import { Log } from './incidents';

/** What the operations page has seen; it survives a reload of the tab. */
export interface Memory {
  readonly history: readonly HistoryPoint[];
  readonly log: Log | null;
}

const FORMAT = 2;
const NOTHING: Memory = { history: [], log: null };

/** Reads what was stored under *key*, without points that are too old; nothing when there is none, or of another format. */
export function recall(key: string, now: number): Memory {
  try {
    const stored = JSON.parse(tabStorage.read(key) ?? 'null') as (Memory & { readonly format?: unknown }) | null;
    if (stored?.format !== FORMAT) return NOTHING;
    const history = stored.history.filter((point) => point.at > now - HISTORY_MS && point.at <= now);
    return { history, log: stored.log };
  } catch {
    // not by this page
    return NOTHING;
  }
}

export function remember(key: string, memory: Memory): void {
  tabStorage.write(key, JSON.stringify({ format: FORMAT, ...memory }));
}
