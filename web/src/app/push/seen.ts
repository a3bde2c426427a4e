import { Notification } from './notification';

const LATE_MS = 60_000;

/** The notifications that were delivered last, known by what they tell: their ids are others after a reset. */
export class Seen {
  private readonly times = new Map<string, number>();
  private forgotten = false;

  constructor(
    private readonly startedAt: number,
    private readonly limit: number,
  ) {}

  add(notification: Notification): void {
    this.times.set(key(notification), Date.parse(notification.occurredAt));
    if (this.times.size <= this.limit) return;
    const [oldest] = this.times.keys();
    if (oldest !== undefined) this.times.delete(oldest);
    this.forgotten = true;
  }

  /** Whether *notification* was delivered, or is from before all that is known of. */
  covers(notification: Notification): boolean {
    return this.times.has(key(notification)) || Date.parse(notification.occurredAt) < this.since();
  }

  private since(): number {
    const [oldest] = this.times.values();
    if (oldest !== undefined && this.forgotten) return oldest;
    // events are not told strictly in the order in which they happened
    return Math.min(oldest ?? this.startedAt, this.startedAt) - LATE_MS;
  }
}

function key(notification: Notification): string {
  return `${notification.orderId.toString()}/${notification.kind}/${notification.version.toString()}`;
}
