/** One number of a process, with what tells it from others of its name. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** Labels that a sample has to have, by name. */
export type Match = Readonly<Record<string, string>>;

/** The numbers of a process, as `/metrics` tells them. */
export class Exposition {
  private readonly byName: ReadonlyMap<string, readonly Sample[]>;

  constructor(
    readonly samples: readonly Sample[],
    /** Lines that are no sample and no comment. */
    readonly malformed = 0,
  ) {
    const byName = new Map<string, Sample[]>();
    for (const sample of samples) {
      const named = byName.get(sample.name);
      if (named === undefined) byName.set(sample.name, [sample]);
      else named.push(sample);
    }
    this.byName = byName;
  }

  /** The samples of a name, those that have all labels of *match*. */
  of(name: string, match: Match = {}): readonly Sample[] {
    const wanted = Object.entries(match);
    const all = this.byName.get(name) ?? [];
    return wanted.length === 0
      ? all
      : all.filter((sample) => wanted.every(([label, value]) => sample.labels.get(label) === value));
  }

  /** Their sum; null when there are none. */
  sum(name: string, match: Match = {}): number | null {
    const found = this.of(name, match);
    return found.length === 0 ? null : found.reduce((sum, sample) => sum + sample.value, 0);
  }

  /** The greatest of them; null when there are none. */
  max(name: string, match: Match = {}): number | null {
    const found = this.of(name, match);
    return found.length === 0 ? null : Math.max(...found.map((sample) => sample.value));
  }
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/;
const VALUE = /^\s*(\S+)(?:\s+-?\d+)?\s*$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const ESCAPED = /\\(.)/g;
const UNESCAPED: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };
const WORDS: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '+inf': Infinity, '-inf': -Infinity };

/**
 * Reads Prometheus' text format, version 0.0.4; a line that can't be read is counted and left out.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export function parseExposition(text: string): Exposition {
  const samples: Sample[] = [];
  let malformed = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const sample = sampleOf(line);
    if (sample === null) malformed += 1;
    else samples.push(sample);
  }
  return new Exposition(samples, malformed);
}

function sampleOf(line: string): Sample | null {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return null;
  const [labels, rest] = labelsOf(line.slice(name.length));
  if (labels === null) return null;
  const word = VALUE.exec(rest)?.[1];
  const value = word === undefined ? null : numberOf(word);
  return value === null ? null : { name, labels, value };
}

function labelsOf(text: string): [ReadonlyMap<string, string> | null, string] {
  const labels = new Map<string, string>();
  if (!text.startsWith('{')) return [/^\s/.test(text) ? labels : null, text];
  let rest = text.slice(1);
  for (let label = LABEL.exec(rest); label !== null; label = LABEL.exec(rest)) {
    labels.set(
      label[1] ?? '',
      (label[2] ?? '').replace(ESCAPED, (all, one: string) => UNESCAPED[one] ?? all),
    );
    rest = rest.slice(label[0].length);
  }
  const end = /^\s*\}/.exec(rest);
  return end === null ? [null, ''] : [labels, rest.slice(end[0].length)];
}

function numberOf(word: string): number | null {
  if (NUMBER.test(word)) return Number(word);
  return WORDS[word.toLowerCase()] ?? null;
}
