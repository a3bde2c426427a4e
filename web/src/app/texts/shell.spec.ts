import { shell } from './shell';

describe('Ages in the header', () => {
  it('are whole minutes that have passed', () => {
    expect([shell.feed.heard(89), shell.feed.heard(119), shell.feed.heard(120)]).toEqual([
      'last heard 89 s ago',
      'last heard 1 min ago',
      'last heard 2 min ago',
    ]);
    expect([shell.feed.delayedFor(89), shell.feed.delayedFor(119)]).toEqual(['for 89 s', 'for 1 min']);
  });
});
