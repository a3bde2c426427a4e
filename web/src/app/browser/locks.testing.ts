interface Request {
  readonly grant: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The used part of Web Locks: one holder, the others wait in turn. */
export class FakeLocks {
  private readonly waiting: Request[] = [];
  private holder: Request | null = null;

  request(_: string, { signal, steal }: LockOptions, grant: () => Promise<void>): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const request = { grant, resolve, reject };
      signal?.addEventListener('abort', () => {
        if (!this.waiting.includes(request)) return;
        this.waiting.splice(this.waiting.indexOf(request), 1);
        reject(new DOMException('', 'AbortError'));
      });
      if (steal) {
        this.holder?.reject(new DOMException('', 'AbortError'));
        this.hold(request);
      } else if (this.holder === null) this.hold(request);
      else this.waiting.push(request);
    });
  }

  private hold(request: Request): void {
    this.holder = request;
    void request.grant().then(() => {
      request.resolve();
      if (this.holder !== request) return;
      this.holder = null;
      const next = this.waiting.shift();
      if (next !== undefined) this.hold(next);
    });
  }
}
