// Follows /stream with an EventSource, the browser's or that of npm.
export function follow(EventSource, address, tell) {
  const url = new URL(address);
  const connect = () => {
    const source = new EventSource(url);
    const hear = (event) => {
      url.searchParams.set("lastEventId", event.lastEventId);
      tell(JSON.parse(event.data));
    };
    source.onmessage = hear;
    source.addEventListener("reset", hear); // something is missing: read GET /notifications
    source.onerror = () => {
      // it comes back by itself with its last id, but gives up when a proxy answers in place of the service
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 1000);
    };
  };
  connect();
}
