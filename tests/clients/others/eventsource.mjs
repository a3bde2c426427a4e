// node others/eventsource.mjs PACKAGE URL: the other packages with an EventSource, and other versions.
import { follow } from "../follow-stream.mjs";

const { EventSource, default: exported } = await import(process.argv[2]);
// undici's does not notice a connection that breaks in the midst of an answer
const silenceLimitMs = 3000;
follow(EventSource ?? exported, process.argv[3], (data) => console.log(JSON.stringify(data)), silenceLimitMs);
