// node eventsource.mjs http://127.0.0.1:8082/stream
import { EventSource } from "eventsource";
import { follow } from "./follow-stream.mjs";

const url = new URL(process.argv[2]);
if (!url.searchParams.has("lastEventId")) {
  // npm's, unlike a browser's, learns no id before the first event
  const history = await fetch(new URL("/notifications?limit=1", url));
  url.searchParams.set("lastEventId", (await history.json()).head);
}
follow(EventSource, url, (data) => console.log(JSON.stringify(data)));
