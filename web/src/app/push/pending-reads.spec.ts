import { PendingReads } from './pending-reads';

describe('Pending reads', () => {
  it('are identified by their ticket, once', () => {
    const reads = new PendingReads();
    const ticket = reads.add('start');
    expect(reads.isPending('start')).toBe(true);
    expect(reads.take(ticket)).toBe('start');
    expect(reads.take(ticket)).toBeNull();
    expect(reads.isPending('start')).toBe(false);
  });

  it('are one for each purpose', () => {
    const reads = new PendingReads();
    const [old, other, fresh] = [reads.add('recovery'), reads.add('silence'), reads.add('recovery')];
    expect([old, other, fresh].map((each) => reads.take(each))).toEqual([null, 'silence', 'recovery']);
  });

  it('can be cancelled', () => {
    const reads = new PendingReads();
    const tickets = [reads.add('recovery'), reads.add('silence'), reads.add('missed')];
    reads.cancel('recovery');
    expect(reads.isPending('silence')).toBe(true);
    reads.clear();
    expect(tickets.map((each) => reads.take(each))).toEqual([null, null, null]);
  });
});
