// The stream with Node 22's own WebSocket (before that: npm install ws): node stream.mjs
const WebSocketClass = globalThis.WebSocket ?? (await import("ws")).WebSocket;
const socket = new WebSocketClass(process.env.OPENALGO_WS ?? "ws://127.0.0.1:8765");
let left = Number(process.env.TICKS ?? 20);

socket.addEventListener("open", () => {
  const send = (message) => socket.send(JSON.stringify(message));
  send({ action: "authenticate", api_key: process.env.OPENALGO_KEY });
  send({ action: "subscribe", mode: "Quote", symbols: [{ symbol: "SBIN", exchange: "NSE" }] });
});
socket.addEventListener("message", (event) => {
  const frame = JSON.parse(event.data);
  if (frame.type !== "market_data") return;
  console.log(frame.symbol, frame.data.ltp, frame.data.volume);
  left -= 1;
  if (left === 0) socket.close();
});
