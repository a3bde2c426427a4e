// Follows /stream with @microsoft/fetch-event-source.
import { fetchEventSource } from "@microsoft/fetch-event-source";

export function follow(address, onData) {
  return fetchEventSource(address, {
    openWhenHidden: true, // otherwise it disconnects while the page is hidden
    onmessage: ({ event, data }) => {
      // a welcome, a heartbeat and a bye come here too; after a reset notifications may be missing: read GET /notifications
      if (event === "" || event === "reset") onData(JSON.parse(data));
    },
    onclose: () => {
      throw new Error("the stream has ended"); // otherwise it does not reconnect
    },
    onerror: () => {}, // reconnect after the time that came with retry
  });
}
