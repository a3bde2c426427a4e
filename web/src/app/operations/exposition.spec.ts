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
  it('reads names, labels and values, and no comments', () => {
    const numbers = parseExposition(TEXT);
    expect(numbers.samples.map((each) => [each.name, each.value])).toEqual([
      ['orderstream_http_request_seconds_bucket', 3],
      ['orderstream_http_request_seconds_bucket', 5],
      ['process_start_time_seconds', 1_763_810_000],
      ['orderstream_sagas_late', 0],
    ]);
    expect(numbers.samples[0]?.labels.get('route')).toBe('/orders/{order_id}');
    expect(numbers.malformed).toBe(0);
  });

  it('undoes the escapes of label values', () => {
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
    const numbers = parseExposition(`${line}\nb 2`);
    expect(numbers.samples.map((each) => each.name)).toEqual(['b']);
    expect(numbers.malformed).toBe(1);
  });

  it('does not take a label for a property of objects', () => {
    expect(only('a{__proto__="x",constructor="y"} 1')[0]?.[1]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});

describe('Exposition', () => {
  const numbers: Exposition = parseExposition('a{x="1",y="1"} 2\na{x="1",y="2"} 3\na{x="2",y="1"} 4\nb 0\n');

  it('sums what has the labels', () => {
    expect(numbers.sum('a')).toBe(9);
    expect(numbers.sum('a', { x: '1' })).toBe(5);
    expect(numbers.sum('a', { x: '1', y: '2' })).toBe(3);
    expect(numbers.sum('b')).toBe(0);
  });

  it('tells what is not there from zero', () => {
    expect(numbers.sum('c')).toBeNull();
    expect(numbers.sum('a', { x: '3' })).toBeNull();
    expect(numbers.max('a', { z: '' })).toBeNull();
  });

  it('finds the greatest', () => {
    expect(numbers.max('a', { y: '1' })).toBe(4);
  });
});
