import { Reads } from './reads';

describe('The pages that were asked for', () => {
  it('are known by their ticket, once', () => {
    const reads = new Reads();
    const ticket = reads.ask('start');
    expect(reads.awaits('start')).toBe(true);
    expect(reads.take(ticket)).toBe('start');
    expect(reads.take(ticket)).toBeNull();
    expect(reads.awaits('start')).toBe(false);
  });

  it('are one for each purpose', () => {
    const reads = new Reads();
    const [old, other, fresh] = [reads.ask('recovery'), reads.ask('silence'), reads.ask('recovery')];
    expect([old, other, fresh].map((each) => reads.take(each))).toEqual([null, 'silence', 'recovery']);
  });

  it('can be forgotten', () => {
    const reads = new Reads();
    const tickets = [reads.ask('recovery'), reads.ask('silence'), reads.ask('missed')];
    reads.forget('recovery');
    expect(reads.awaits('silence')).toBe(true);
    reads.forgetAll();
    expect(tickets.map((each) => reads.take(each))).toEqual([null, null, null]);
  });
});
