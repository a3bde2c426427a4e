// node eventsource.mjs http://127.0.0.1:8082/stream
import { EventSource } from "eventsource";
import { follow } from "./follow-stream.mjs";

follow(EventSource, process.argv[2], (data) => console.log(JSON.stringify(data)));
