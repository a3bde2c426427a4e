// Follows /stream with an EventSource, the browser's or that of npm.
export function follow(EventSource, address, onData) {
  const url = new URL(address);
  const connect = () => {
    const source = new EventSource(url);
    const handle = (event) => {
      url.searchParams.set("lastEventId", event.lastEventId);
      onData(JSON.parse(event.data));
    };
    source.onmessage = handle;
    source.addEventListener("reset", handle); // notifications may be missing: read GET /notifications
    source.onerror = () => {
      // it reconnects by itself with its last id, but gives up when a proxy answers instead of the service
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 1000);
    };
  };
  connect();
}
