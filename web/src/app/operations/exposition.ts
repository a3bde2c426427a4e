/** A sample: one value of a metric, with its labels. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** Label values that a sample must have. */
export type Match = Readonly<Record<string, string>>;

/** The metrics of a process, from `/metrics`. */
export class Exposition {
  private readonly byName: ReadonlyMap<string, readonly Sample[]>;

  constructor(
    readonly samples: readonly Sample[],
    /** The number of malformed lines. */
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

  /** The samples of a name that have all labels of *match*. */
  of(name: string, match: Match = {}): readonly Sample[] {
    const wanted = Object.entries(match);
    const all = this.byName.get(name) ?? [];
    return wanted.length === 0
      ? all
      : all.filter((sample) => wanted.every(([label, value]) => sample.labels.get(label) === value));
  }

  /** The sum of the samples; null without samples. */
  sum(name: string, match: Match = {}): number | null {
    const found = this.of(name, match);
    return found.length === 0 ? null : found.reduce((sum, sample) => sum + sample.value, 0);
  }

  /** The maximum of the samples; null without samples. */
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
const SPECIAL_VALUES: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
};

/**
 * Parses Prometheus' text format, version 0.0.4; malformed lines are counted and skipped.
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
  const token = VALUE.exec(rest)?.[1];
  const value = token === undefined ? null : numberOf(token);
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

function numberOf(token: string): number | null {
  if (NUMBER.test(token)) return Number(token);
  return SPECIAL_VALUES[token.toLowerCase()] ?? null;
}
