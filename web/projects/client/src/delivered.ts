import { Notification } from './notification.js';

const REORDERING_MS = 60_000;

/** The last delivered notifications, identified by content: their ids change with the epoch. */
export class DeliveredNotifications {
  private readonly times = new Map<string, number>();
  private evicted = false;

  constructor(
    private readonly startedAt: number,
    private readonly limit: number,
  ) {}

  add(notification: Notification): void {
    this.times.set(key(notification), Date.parse(notification.occurredAt));
    if (this.times.size <= this.limit) return;
    const [oldest] = this.times.keys();
    if (oldest !== undefined) this.times.delete(oldest);
    this.evicted = true;
  }

  /** Whether *notification* was delivered, or is older than all recorded ones. */
  covers(notification: Notification): boolean {
    return this.times.has(key(notification)) || Date.parse(notification.occurredAt) < this.since();
  }

  private since(): number {
    const [oldest] = this.times.values();
    if (oldest !== undefined && this.evicted) return oldest;
    // notifications are not strictly in order of *occurredAt*
    return Math.min(oldest ?? this.startedAt, this.startedAt) - REORDERING_MS;
  }
}

function key(notification: Notification): string {
  return `${notification.orderId.toString()}/${notification.kind}/${notification.version.toString()}`;
}
