import { StreamEvent, StreamParser } from './stream-parser.js';
import { seededRandom } from './testing/seeded-random.js';

function parse(...parts: readonly string[]): StreamEvent[] {
  const parser = new StreamParser();
  return parts.flatMap((part) => [...parser.feed(part)]);
}

const STREAM = [
  'retry: 1000\nevent: welcome\nid: a-1\ndata: {"type":"welcome"}\n\n',
  ': a comment\nid: a-2\n\n',
  'id: a-3\r\ndata: one\r\ndata:two\r\n\r\n',
  'data\rid: a-4\r\r',
  'data: ü\nid: a\0b\nunknown: x\n\ndata: incomplete',
].join('');
const EVENTS = [
  { name: 'welcome', data: '{"type":"welcome"}', id: 'a-1' },
  { name: 'message', data: 'one\ntwo', id: 'a-3' },
  { name: 'message', data: '', id: 'a-4' },
  { name: 'message', data: 'ü', id: 'a-4' },
];

describe('The parser of a stream', () => {
  it('gives the events that are complete', () => {
    expect(parse(STREAM)).toEqual(EVENTS);
  });

  it('gives the same events however the stream is cut', () => {
    expect(parse(...STREAM)).toEqual(EVENTS);
    const random = seededRandom(11);
    for (let trial = 0; trial < 200; trial++) {
      const parts = [];
      for (let at = 0; at < STREAM.length;) {
        const size = 1 + Math.floor(random() * 12);
        parts.push(STREAM.slice(at, at + size));
        at += size;
      }
      expect(parse(...parts)).toEqual(EVENTS);
    }
  });
});
