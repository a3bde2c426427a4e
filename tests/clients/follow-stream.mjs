// Follows /stream with an EventSource, the browser's or that of npm.
export function follow(EventSource, address, onData, silenceLimitMs = 45_000) {
  const url = new URL(address);
  const connect = (delayMs) => setTimeout(open, delayMs);
  const open = () => {
    const source = new EventSource(url.href);
    const reopen = () => {
      clearTimeout(silence);
      source.onerror = null; // undici's tells even of its own close()
      source.close();
      connect(1000);
    };
    let silence = setTimeout(reopen, silenceLimitMs); // a heartbeat comes every 15 s
    const receive = (event) => {
      if (source.readyState === EventSource.CLOSED) return;
      clearTimeout(silence);
      silence = setTimeout(reopen, silenceLimitMs);
      if (event.lastEventId) url.searchParams.set("lastEventId", event.lastEventId);
      // after a reset notifications may be missing: read GET /notifications
      if (event.type === "message" || event.type === "reset") onData(JSON.parse(event.data));
    };
    for (const type of ["message", "welcome", "heartbeat", "reset", "bye"]) source.addEventListener(type, receive);
    source.onerror = () => {
      // it reconnects by itself with its last id, but gives up when a proxy answers instead of the service
      if (source.readyState === EventSource.CLOSED) reopen();
    };
  };
  open();
}
