/** An event of a stream; *name* is `message` when the service gave none. */
export interface StreamEvent {
  readonly name: string;
  readonly data: string;
  /** The last event id. */
  readonly id: string;
}

/**
 * Parses Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream.
 *
 * `retry:` is ignored: the service's `bye` has the time too.
 */
export class StreamParser {
  private rest = '';
  private name = '';
  private data: string[] = [];
  private id = '';

  /** The events that *text*, the next part of the stream, completes. */
  feed(text: string): readonly StreamEvent[] {
    const all = this.rest + text;
    // a line feed that belongs to a last carriage return may follow
    const end = all.endsWith('\r') ? all.length - 1 : all.length;
    const lines = all.slice(0, end).split(/\r\n|\n|\r/);
    this.rest = (lines.pop() ?? '') + all.slice(end);
    return lines.map((line) => this.line(line)).filter((event) => event !== null);
  }

  private line(line: string): StreamEvent | null {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.name = value;
    else if (field === 'id' && !value.includes('\0')) this.id = value;
    return null;
  }

  private dispatch(): StreamEvent | null {
    const { name, data, id } = this;
    this.name = '';
    this.data = [];
    return data.length === 0 ? null : { name: name || 'message', data: data.join('\n'), id };
  }
}
