import { EventId, formatEventId } from './event-id';
import { Page } from './frames';
import { Seen } from './seen';
import { REREAD_LIMIT, Sequence } from './sequence';
import { notificationAt } from './testing/notifications';

const BEGUN = 1_000_000;

function at(seq: number, epoch = 'a'): EventId {
  return { epoch, seq };
}

/** A page with the orders *from* to *to*, each at the place of its number. */
function page(epoch: string, from: number, to: number, next: EventId | null = null): Page {
  const places = Array.from({ length: to - from + 1 }, (_, index) => at(from + index, epoch));
  return { notifications: places.map((id) => notificationAt(id, id.seq, BEGUN)), next, head: at(to, epoch) };
}

describe('A sequence', () => {
  let log: string[];
  let sequence: Sequence;

  beforeEach(() => {
    log = [];
    sequence = new Sequence(at(5), new Seen(BEGUN, 100), {
      deliver: ({ notification }, recovered) =>
        log.push(`${recovered ? 'recovered' : 'told'} ${notification.orderId.toString()}`),
      read: (after) => log.push(`read after ${formatEventId(after)}`),
      malformed: () => log.push('malformed'),
    });
  });

  function tell(seq: number, epoch = 'a', orderId = seq): void {
    const id = at(seq, epoch);
    sequence.hear({ type: 'event', id, notification: notificationAt(id, orderId, BEGUN), bytes: 300 }, 'ws');
  }

  it('delivers the next, and no double', () => {
    for (const seq of [6, 6, 5, 7, 6]) tell(seq);
    expect(log).toEqual(['told 6', 'told 7']);
  });

  it('reads what is left out before it goes on', () => {
    tell(8);
    tell(9);
    expect(log).toEqual(['read after a-5']);
    sequence.page(page('a', 6, 7));
    expect(log.slice(1)).toEqual(['recovered 6', 'recovered 7', 'told 8', 'told 9']);
  });

  it('takes what a page has beyond the hole as it was told', () => {
    tell(8);
    sequence.page(page('a', 6, 8));
    expect(log.slice(1)).toEqual(['recovered 6', 'recovered 7', 'told 8']);
  });

  it('goes on when the history does not have it either', () => {
    tell(8);
    sequence.page({ notifications: [null, notificationAt(at(7))], next: null, head: at(8) });
    expect(log.slice(1)).toEqual(['malformed', 'recovered 7', 'told 8']);
    expect(sequence.position).toEqual(at(8));
  });

  it('reads again what a sign of life says should have come', () => {
    sequence.hear({ type: 'position', id: at(5) }, 'ws');
    sequence.hear({ type: 'position', id: at(4) }, 'ws');
    expect(log).toEqual([]);
    sequence.hear({ type: 'position', id: at(6) }, 'ws');
    expect(log).toEqual(['read after a-5']);
  });

  it('reads page by page up to the place of a reset', () => {
    sequence.hear({ type: 'reset', id: at(8) }, 'ws');
    sequence.page(page('a', 6, 7, at(7)));
    sequence.page(page('a', 8, 9, at(9)));
    expect(log).toEqual(['read after a-5', 'recovered 6', 'recovered 7', 'read after a-7', 'recovered 8']);
    expect(sequence.position).toEqual(at(8));
  });

  it('reads a bounded part of the history', () => {
    sequence.hear({ type: 'reset', id: at(REREAD_LIMIT + 100) }, 'ws');
    expect(log).toEqual(['read after a-100']);
  });

  it('knows what it has delivered under other ids', () => {
    tell(6);
    sequence.hear({ type: 'reset', id: at(8, 'b') }, 'ws');
    tell(9, 'b');
    sequence.page(page('b', 6, 8));
    expect(log).toEqual(['told 6', 'read after b-0', 'recovered 7', 'recovered 8', 'told 9']);
  });

  it('takes no notice of what a connection still says of the feed before', () => {
    sequence.hear({ type: 'reset', id: at(0, 'b') }, 'ws');
    tell(6);
    sequence.hear({ type: 'position', id: at(9) }, 'ws');
    tell(1, 'b');
    expect(log).toEqual(['told 1']);
  });

  it('goes back when the service has less than was seen, and doubles nothing', () => {
    tell(6);
    sequence.hear({ type: 'reset', id: at(4) }, 'ws');
    tell(5, 'a', 6);
    tell(6, 'a', 77);
    expect(log).toEqual(['told 6', 'told 77']);
  });

  it('stays where it was when what it recovers is given up', () => {
    tell(9);
    sequence.abandon();
    sequence.page(page('a', 6, 8));
    expect(log).toEqual(['read after a-5']);
    expect(sequence.position).toEqual(at(5));
  });
});
