// node ws.mjs ws://127.0.0.1:8082/ws
import WebSocket from "ws";
import { follow } from "./follow-socket.mjs";

follow(WebSocket, process.argv[2], (data) => console.log(JSON.stringify(data)));
