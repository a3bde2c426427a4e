import { Exposition, parseExposition } from './exposition';

const TEXT = `# HELP orderstream_http_request_seconds Time to answer a request.
# TYPE orderstream_http_request_seconds histogram
orderstream_http_request_seconds_bucket{le="0.001",method="GET",route="/orders/{order_id}",status="200"} 3.0
orderstream_http_request_seconds_bucket{le="+Inf",method="GET",route="/orders/{order_id}",status="200"} 5.0
process_start_time_seconds 1.76381e+09

orderstream_sagas_late 0.0
`;

function only(line: string): readonly [string, readonly (readonly [string, string])[], number][] {
  return parseExposition(line).samples.map((each) => [each.name, [...each.labels], each.value]);
}

describe('parseExposition', () => {
  it('parses names, labels and values, and skips comments', () => {
    const metrics = parseExposition(TEXT);
    expect(metrics.samples.map((each) => [each.name, each.value])).toEqual([
      ['orderstream_http_request_seconds_bucket', 3],
      ['orderstream_http_request_seconds_bucket', 5],
      ['process_start_time_seconds', 1_763_810_000],
      ['orderstream_sagas_late', 0],
    ]);
    expect(metrics.samples[0]?.labels.get('route')).toBe('/orders/{order_id}');
    expect(metrics.malformed).toBe(0);
  });

  it('unescapes label values', () => {
    expect(only('a{b="say \\"hi\\"",c="1\\n2",d="x\\\\n",e="}, "} 1')).toEqual([
      [
        'a',
        [
          ['b', 'say "hi"'],
          ['c', '1\n2'],
          ['d', 'x\\n'],
          ['e', '}, '],
        ],
        1,
      ],
    ]);
  });

  it.each([
    ['a 1', 1],
    ['a -1.5e-3', -0.0015],
    ['a +Inf', Infinity],
    ['a -Inf', -Infinity],
    ['a NaN', NaN],
    ['a 3 1395066363000', 3],
    ['a{} 4', 4],
    ['a{b="c",} 5', 5],
    ['a { }  6  ', null],
    ['a{ b = "c" , d = "e" } 7', 7],
  ])('reads %s', (line, value) => {
    expect(only(line).map(([, , each]) => each)).toEqual(value === null ? [] : [value]);
  });

  it.each([
    'a',
    'a 1 2 3',
    '1a 1',
    'a{b="c} 1',
    'a{b=c} 1',
    'a{b="c" 1',
    'a 0x10',
    'a one',
    '<!doctype html>',
    'a{"b"} 1',
  ])('counts and skips %s', (line) => {
    const metrics = parseExposition(`${line}\nb 2`);
    expect(metrics.samples.map((each) => each.name)).toEqual(['b']);
    expect(metrics.malformed).toBe(1);
  });

  it('does not confuse labels with object properties', () => {
    expect(only('a{__proto__="x",constructor="y"} 1')[0]?.[1]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});

describe('Exposition', () => {
  const metrics: Exposition = parseExposition('a{x="1",y="1"} 2\na{x="1",y="2"} 3\na{x="2",y="1"} 4\nb 0\n');

  it('sums the samples with the labels', () => {
    expect(metrics.sum('a')).toBe(9);
    expect(metrics.sum('a', { x: '1' })).toBe(5);
    expect(metrics.sum('a', { x: '1', y: '2' })).toBe(3);
    expect(metrics.sum('b')).toBe(0);
  });

  it('is null without samples', () => {
    expect(metrics.sum('c')).toBeNull();
    expect(metrics.sum('a', { x: '3' })).toBeNull();
    expect(metrics.max('a', { z: '' })).toBeNull();
  });

  it('finds the maximum', () => {
    expect(metrics.max('a', { y: '1' })).toBe(4);
  });
});
