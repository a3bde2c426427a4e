// node eventsource-client.mjs http://127.0.0.1:8082/stream
import { createEventSource } from "eventsource-client";

createEventSource({
  url: process.argv[2],
  // a welcome, a heartbeat and a bye come here too; after a reset notifications may be missing: read GET /notifications
  onMessage: ({ event, data }) => {
    if (event === undefined || event === "reset") console.log(data);
  },
});
