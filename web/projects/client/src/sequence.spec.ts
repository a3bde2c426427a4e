import { EventId, formatEventId } from './event-id.js';
import { Page } from './frames.js';
import { DeliveredNotifications } from './delivered.js';
import { REREAD_LIMIT, Sequence } from './sequence.js';
import { notificationAt } from './testing/notifications.js';

const STARTED_AT = 1_000_000;

function at(seq: number, epoch = 'a'): EventId {
  return { epoch, seq };
}

/** A page with the orders *from* to *to*, whose sequence numbers are the same. */
function page(epoch: string, from: number, to: number, next: EventId | null = null): Page {
  const places = Array.from({ length: to - from + 1 }, (_, index) => at(from + index, epoch));
  return { notifications: places.map((id) => notificationAt(id, id.seq, STARTED_AT)), next, head: at(to, epoch) };
}

describe('A sequence', () => {
  let log: string[];
  let sequence: Sequence;

  beforeEach(() => {
    log = [];
    sequence = new Sequence(at(5), new DeliveredNotifications(STARTED_AT, 100), {
      deliver: ({ notification }, recovered) =>
        log.push(`${recovered ? 'recovered' : 'delivered'} ${notification.orderId.toString()}`),
      read: (after) => log.push(`read after ${formatEventId(after)}`),
      malformed: () => log.push('malformed'),
    });
  });

  function add(seq: number, epoch = 'a', orderId = seq): void {
    const id = at(seq, epoch);
    sequence.add({ type: 'event', id, notification: notificationAt(id, orderId, STARTED_AT), bytes: 300 }, 'ws');
  }

  it('delivers the next and no duplicate', () => {
    for (const seq of [6, 6, 5, 7, 6]) add(seq);
    expect(log).toEqual(['delivered 6', 'delivered 7']);
  });

  it('reads a gap before it delivers later ones', () => {
    add(8);
    add(9);
    expect(log).toEqual(['read after a-5']);
    sequence.page(page('a', 6, 7));
    expect(log.slice(1)).toEqual(['recovered 6', 'recovered 7', 'delivered 8', 'delivered 9']);
  });

  it('delivers a buffered notification instead of its copy on a page', () => {
    add(8);
    sequence.page(page('a', 6, 8));
    expect(log.slice(1)).toEqual(['recovered 6', 'recovered 7', 'delivered 8']);
  });

  it('continues when the history does not have it either', () => {
    add(8);
    sequence.page({ notifications: [null, notificationAt(at(7))], next: null, head: at(8) });
    expect(log.slice(1)).toEqual(['malformed', 'recovered 7', 'delivered 8']);
    expect(sequence.position).toEqual(at(8));
  });

  it('reads what a heartbeat reveals as lost', () => {
    sequence.add({ type: 'position', id: at(5) }, 'ws');
    sequence.add({ type: 'position', id: at(4) }, 'ws');
    expect(log).toEqual([]);
    sequence.add({ type: 'position', id: at(6) }, 'ws');
    expect(log).toEqual(['read after a-5']);
  });

  it('reads page by page up to the position of a reset', () => {
    sequence.add({ type: 'reset', id: at(8) }, 'ws');
    sequence.page(page('a', 6, 7, at(7)));
    sequence.page(page('a', 8, 9, at(9)));
    expect(log).toEqual(['read after a-5', 'recovered 6', 'recovered 7', 'read after a-7', 'recovered 8']);
    expect(sequence.position).toEqual(at(8));
  });

  it('reads a bounded part of the history', () => {
    sequence.add({ type: 'reset', id: at(REREAD_LIMIT + 100) }, 'ws');
    expect(log).toEqual(['read after a-100']);
  });

  it('skips delivered notifications under other ids', () => {
    add(6);
    sequence.add({ type: 'reset', id: at(8, 'b') }, 'ws');
    add(9, 'b');
    sequence.page(page('b', 6, 8));
    expect(log).toEqual(['delivered 6', 'read after b-0', 'recovered 7', 'recovered 8', 'delivered 9']);
  });

  it('ignores events of the previous epoch', () => {
    sequence.add({ type: 'reset', id: at(0, 'b') }, 'ws');
    add(6);
    sequence.add({ type: 'position', id: at(9) }, 'ws');
    add(1, 'b');
    expect(log).toEqual(['delivered 1']);
  });

  it('moves back when the service has fewer notifications, without duplicates', () => {
    add(6);
    sequence.add({ type: 'reset', id: at(4) }, 'ws');
    add(5, 'a', 6);
    add(6, 'a', 77);
    expect(log).toEqual(['delivered 6', 'delivered 77']);
  });

  it('reads nothing between the notifications of a filter, except after a reset', () => {
    sequence = new Sequence(
      at(5),
      new DeliveredNotifications(STARTED_AT, 100),
      {
        deliver: ({ notification }) => log.push(`delivered ${notification.orderId.toString()}`),
        read: (after) => log.push(`read after ${formatEventId(after)}`),
        malformed: () => log.push('malformed'),
      },
      true,
    );
    add(8);
    add(7);
    sequence.add({ type: 'position', id: at(20) }, 'ws');
    expect(sequence.position).toEqual(at(20));
    sequence.add({ type: 'reset', id: at(30) }, 'ws');
    sequence.page(page('a', 25, 25));
    add(31);
    expect(log).toEqual(['delivered 8', 'read after a-20', 'delivered 25', 'delivered 31']);
  });

  it('keeps its position when a recovery is cancelled', () => {
    add(9);
    sequence.abandon();
    sequence.page(page('a', 6, 8));
    expect(log).toEqual(['read after a-5']);
    expect(sequence.position).toEqual(at(5));
  });
});
